"""What Product Importer costs, measured: `make bench`."""
