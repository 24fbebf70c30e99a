"""The commands of `product-importer`, and the processes that they keep running."""
