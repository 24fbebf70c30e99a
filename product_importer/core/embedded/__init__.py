"""PostgreSQL and Valkey as processes of our own, for when no servers are configured."""
