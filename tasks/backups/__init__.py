"""Backups: made deterministic, verified after writing, restored only where nothing can be lost."""
