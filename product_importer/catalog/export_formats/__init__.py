"""Write products in the formats of exports: each module has `write`, which yields the pieces of a file."""
