"""Reflex's side of access: the check of every event, tabs bound to sessions, and the pages of people and tokens."""
