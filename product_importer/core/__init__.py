"""Foundations that all slices use: settings, database, queue, storage, errors."""
