"""The project's logs: read, watched and archived."""
