"""Edit rows of a dry run, or rejected ones, and import the rejected rows again."""
