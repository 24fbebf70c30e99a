"""Which column of a file is which field: header check, suggestions, remembered mappings."""
