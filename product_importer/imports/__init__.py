"""Imports: upload, read, stage, merge, progress."""
