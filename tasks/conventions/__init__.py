"""What the project's own files say about how it works: read once a run, and given to the domains."""
