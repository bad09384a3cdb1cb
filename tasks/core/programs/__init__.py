"""Other programs: Git, the project's Python, child processes, and Ctrl-C."""
