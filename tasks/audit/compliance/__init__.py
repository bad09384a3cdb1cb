"""The area *compliance*: under which licences the packages stand that are installed for the project."""
