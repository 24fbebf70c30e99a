"""The page of the overview."""
