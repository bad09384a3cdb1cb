"""What people and other programs get to see: terminal, JSON, Markdown, report files."""
