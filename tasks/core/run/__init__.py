"""Running procedures: declared, executed once, composed, stamped, and ended with one verdict."""
