"""Deliver messages: queue, signature, HTTP attempt, and the sender that runs many attempts at once."""
