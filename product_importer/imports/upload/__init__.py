"""Receive a file while it uploads, and create its import."""
