"""Past decisions, looked at again when something comes late, is corrected, or belongs elsewhere."""
