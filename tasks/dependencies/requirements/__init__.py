"""Requirements files: read as pip reads them, and changed in nothing but a version."""
