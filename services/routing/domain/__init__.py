"""What routing decides: pure values in, values out; no I/O but the reading of rule files."""
