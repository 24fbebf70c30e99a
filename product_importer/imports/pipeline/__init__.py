"""Run an import: read and validate rows, spool them sorted, write them range by range, undo.

`runner` has the steps in order. `reading` fills the `spool`, `cuts` divides its keys into ranges, `writers` takes
these, and `range_writer` writes one: what the catalogue holds is read by `held`, compared by `decide`, and changed by
`product_writes`.
"""
