"""Getting the project running again: what is wrong with it, what can be put right, and what is left."""
