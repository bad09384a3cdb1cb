"""Data integrity: every data file parses, and is what it was unless somebody changed it."""
