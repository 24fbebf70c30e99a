"""The imports page: upload, mapping, dry run, progress, history and undo."""
