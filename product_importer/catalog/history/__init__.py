"""The history of a product: what changed it, from all sources that know something."""
