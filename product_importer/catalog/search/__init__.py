"""Find products: filters, pages by cursor, and the trigram index beside the table."""
