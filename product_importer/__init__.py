"""Product Importer: product catalogues from CSV into PostgreSQL, and their management."""

# The one place of the version: pyproject.toml, OpenAPI and the metrics take it from here.
__version__ = "1"
