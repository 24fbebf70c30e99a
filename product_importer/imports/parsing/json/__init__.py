"""Read JSON Lines and JSON arrays of objects in bounded memory, each value exactly as the file writes it."""
