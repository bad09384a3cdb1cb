"""What the project's files require: requirements files as pip reads them, and projects that uv locks."""
