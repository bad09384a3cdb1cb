"""The security audit: pip-audit's answer, package by package, and the findings on it."""
