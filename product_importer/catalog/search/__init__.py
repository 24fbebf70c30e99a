"""Find products: filters, pages by keyset, and the trigram index behind the table."""
