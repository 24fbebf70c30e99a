"""The soak run: hours of steady load and random kills, after which nothing has grown and every count is exact."""
