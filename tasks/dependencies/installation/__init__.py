"""Installing: what would be installed, tried in a fresh environment, and then installed for good."""
