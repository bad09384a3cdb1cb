"""What the project requires: outdated, vulnerable, and updated so that it can be undone."""
