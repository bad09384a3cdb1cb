"""Projects that uv locks: what they ask for, and a new lock found out by uv itself."""
