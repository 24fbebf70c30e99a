"""Drafts: files that were chosen, before their import starts."""
