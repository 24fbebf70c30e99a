"""The import engine: stage a file's rows, validate them, merge them into products, undo."""
