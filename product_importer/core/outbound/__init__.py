"""Requests to addresses that users enter: which are allowed, and how they are sent."""
