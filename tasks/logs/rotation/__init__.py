"""The rotation of logs: archived without losing a line, whoever is writing."""
