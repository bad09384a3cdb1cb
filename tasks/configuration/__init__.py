"""The project's configuration: read without being run, reviewed, and set against what was accepted."""
