"""Templates of a catalogue, as CSV and as a workbook: the columns, and two rows that say what belongs there."""

from functools import lru_cache
from io import BytesIO

from xlsxwriter import Workbook

from product_importer.core.csv_text import to_csv

ROWS = (
    ("sku", "name", "description", "active", "colour"),
    (
        "EXAMPLE-001",
        "The name of a product",
        "Any text, also empty. Replace these two rows with your products.",
        "yes",
        "red",
    ),
    (
        "EXAMPLE-002",
        "Each product has an SKU of its own",
        "“no” in active: it is kept, but not offered. Columns of any other name, such as colour, become attributes.",
        "no",
        "blue",
    ),
)
# In characters of the workbook's font.
WIDTHS = (20, 36, 60, 10, 16)


def csv_template() -> bytes:
    """Return the template as CSV in UTF-8, with a byte order mark, by which Excel knows the encoding."""
    return to_csv(ROWS).encode("utf-8-sig")


@lru_cache
def xlsx_template() -> bytes:
    """Return the template as an Excel workbook with one sheet.

    The cells of the SKUs are texts, also those that are still empty: Excel then leaves `00123` and long numbers as
    they are typed.
    """
    content = BytesIO()
    with Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Products")
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
        for column, width in enumerate(WIDTHS):
            sheet.set_column(column, column, width, text if column == 0 else None)
        for row, cells in enumerate(ROWS):
            for column, cell in enumerate(cells):
                sheet.write_string(row, column, cell, bold if row == 0 else text if column == 0 else None)
        sheet.freeze_panes(1, 0)
    return content.getvalue()
