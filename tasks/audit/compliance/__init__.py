"""The area *compliance*: the licences of the packages that are installed for the project."""
