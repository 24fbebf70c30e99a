"""The menus that export the listed or the selected products in one of the formats."""

import reflex as rx

from product_importer.catalog.export_query import ExportFormat
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.ui.menu import ENTRY, menu
from product_importer.ui.widgets import download_link

NAMES = {
    ExportFormat.CSV: "CSV",
    ExportFormat.XLSX: "Excel (.xlsx)",
    ExportFormat.JSONL: "JSON Lines",
    ExportFormat.PARQUET: "Parquet",
}


def export_menu() -> rx.Component:
    """Return the button that opens the links to the listed products as files."""
    return menu(
        "Export",
        *map(_entry, ExportFormat),
        name="products-export",
        title="Download all pages of the listed products",
    )


def selection_export_menu() -> rx.Component:
    """Return the button that opens the formats in which the selected products can be exported."""
    return menu("Export", *map(_selection_entry, ExportFormat), name="selection-export")


def _selection_entry(format: ExportFormat) -> rx.Component:
    return rx.el.button(
        NAMES[format],
        type="button",
        on_click=CatalogState.export_selection(str(format)),
        class_name=ENTRY,
        data_testid=f"selection-export-{format}",
    )


def _entry(format: ExportFormat) -> rx.Component:
    return download_link(
        NAMES[format],
        href=CatalogState.export_address + str(format),
        on_click=CatalogState.export_products(str(format)).prevent_default,
        class_name=ENTRY,
        data_testid=f"export-{format}",
    )
