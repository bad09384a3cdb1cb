"""The security audit: pip-audit's answer, package by package, and what is thought of it."""
