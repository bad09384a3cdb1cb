"""Undoing an update exactly: what was there is kept until the update stands, whoever ends it in the middle."""
