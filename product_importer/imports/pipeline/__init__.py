"""Run an import: read and validate rows (`row_validation`), stage them, merge them into products, undo.

`runner` has the steps in order. The SQL of the merge is in `sql_templates`; `merge_sql` fills it, `merge` runs it.
"""
