"""Read Parquet files in bounded memory, each value as text."""
