"""From uploaded bytes to rows: detect the format, decode, read CSV and workbooks."""
