"""Run PostgreSQL and Valkey ourselves when no servers are configured."""
