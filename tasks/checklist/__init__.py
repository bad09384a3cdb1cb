"""The release checklist: gates that each say go or no-go, and one verdict."""
