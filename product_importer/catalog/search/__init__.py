"""Find products: filters, pages by cursor, and the text index beside the table."""
