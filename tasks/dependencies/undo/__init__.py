"""Undoing an update exactly: what was there is kept until the update is complete, even if the run is killed."""
