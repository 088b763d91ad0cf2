"""Stored cases decided anew: by other rules (`luotsi rules diff`), or by their own (`… replay`)."""
