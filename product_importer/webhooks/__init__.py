"""Webhooks: people register URLs, and each gets a signed message of what happens."""
