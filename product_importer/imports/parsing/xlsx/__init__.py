"""Read Excel workbooks (.xlsx) in bounded memory."""
