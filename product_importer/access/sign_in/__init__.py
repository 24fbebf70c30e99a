"""Sign-in, sign-out and set-up as plain HTML forms, which need no script and no websocket."""
