"""Product Importer: product catalogues from CSV into PostgreSQL, and their management."""

__version__ = "1"
