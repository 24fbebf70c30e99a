"""Match a file's columns to the fields of a product."""
