"""Receive a file while it arrives, and accept it as an import."""
