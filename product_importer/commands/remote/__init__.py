"""Commands on the server of another machine, by REST."""
