"""What intake decides: pure values in, values out."""
