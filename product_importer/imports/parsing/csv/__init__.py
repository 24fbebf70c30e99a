"""Read delimited text: quickly with Arrow where it is well-formed, record by record where not."""
