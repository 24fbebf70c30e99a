"""Back up the database with its uploaded files, restore that, and move it to another server."""
