"""A grid of DOM rows that are edited in place, for every page."""
