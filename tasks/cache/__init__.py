"""The project's cache: what has expired, what lies in the wrong place, how large it is."""
