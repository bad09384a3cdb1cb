"""The package index: what it has of a package, and what an installed one could move to."""
