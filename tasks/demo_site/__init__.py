"""A small, realistic project with planted problems, to try the suite on without risk."""
