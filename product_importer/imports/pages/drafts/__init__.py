"""The first two steps of an import: choose a file, and say what becomes of its columns."""
