"""Readers: one per format, each returning what a file says and what is wrong with it, with places."""
