"""Keys, the forms that secrets have, and taking them out of text."""
