"""Reading and changing files of the project: safely, locked, and never half done."""
