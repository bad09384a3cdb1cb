"""Rotation: from a live log to a verified archive without losing a line."""
