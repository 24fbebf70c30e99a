"""Actions on the products that are selected in the list."""
