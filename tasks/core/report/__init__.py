"""What a procedure returns, and reports of earlier runs that can be used again."""
