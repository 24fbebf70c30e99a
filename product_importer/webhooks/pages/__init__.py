"""The webhooks page: list, editor and delivery log."""
