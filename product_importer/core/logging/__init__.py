"""Configure logging: no forged lines, no secrets."""
