"""The rotation of logs: archived without losing a line, even while programs write."""
