"""Read delimited text: quickly with Arrow where it is well-formed, record by record where it is not.

`reader` is the entry. It reads a block of lines at a time, with `arrow` or Python's `csv`. A block in which something
is wrong is read again by `record_parser`, one record at a time.

Recovery from a broken record (docs/decisions/0020), in these terms:

- A **physical line** ends at a line break. A **record** can cover several lines: its quoted fields may hold breaks.
- A **broken record** is malformed CSV, or has not as many fields as the header. The usual cause is a wrong quote, and
  then it is not certain where the record ends, nor even where it begins.
- A **reading** is one way to understand the lines around it, such as "the second quote is one too many".
  `quote_readings` follows all readings at once, line by line, and drops those that the lines contradict.
- A **mistake** is a quote that a reading takes for missing or too many. A **forgiving** reading instead allows
  quotes inside a field that are not written twice.
- The **lost lines** are those on which the remaining readings differ. `recovery` finds them, and `broken_records`
  makes the errors that name them. Reading goes on at the first line on which all remaining readings agree.
"""
