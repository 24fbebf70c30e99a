"""Who may talk to the application: one ASGI layer around pages, REST, uploads and the websocket."""
