"""The daily review: how much of what is in the logs, how they grow, and what failed last."""
