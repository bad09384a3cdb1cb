"""Drift: what is configured, path by path, against what somebody accepted."""
