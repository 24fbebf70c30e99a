"""One ASGI layer that checks every request: for pages, REST, uploads and the websocket."""
