"""The page of one product: its fields, and its history."""
