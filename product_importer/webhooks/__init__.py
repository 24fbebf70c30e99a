"""Webhooks: register URLs and send each a signed message for every event it subscribes to."""
