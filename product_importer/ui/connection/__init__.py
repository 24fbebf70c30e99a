"""What a page does while it has no connection to the server."""
