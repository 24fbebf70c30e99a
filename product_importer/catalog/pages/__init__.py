"""The products page: its components and their states."""
