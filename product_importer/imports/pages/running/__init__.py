"""The running import: its bar, its speed, and what every page shows of it."""
