"""Check the rows of a dry run, and correct rejected rows, in one grid."""
