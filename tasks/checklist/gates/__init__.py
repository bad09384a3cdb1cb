"""The gates, a module each: what is asked, and how the answer follows from what was found."""
