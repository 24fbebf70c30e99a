"""The products page: components and states."""
