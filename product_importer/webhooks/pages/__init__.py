"""Webhook pages: list, editor and delivery log."""
