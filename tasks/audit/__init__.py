"""The quarterly audit: declared checks of several areas, each weighed, and one score that explains itself."""
