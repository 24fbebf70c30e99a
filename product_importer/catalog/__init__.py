"""Products: list, search, create, edit, delete."""
