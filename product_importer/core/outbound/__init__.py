"""Requests to addresses that people give: which are allowed, and how they are made."""
