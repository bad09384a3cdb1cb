"""What grows, and when it will reach its limit."""
