"""Import catalogue files: upload, read, merge, and follow the progress."""
