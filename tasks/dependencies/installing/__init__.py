"""Driving pip: what to install is found out, tried elsewhere, and only then installed."""
