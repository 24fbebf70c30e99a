"""Measure how fast Product Importer is: `make bench`."""
