"""The step Check: what a dry run would do, row by row, and the correction of its rows."""

import reflex as rx

from product_importer.imports.pages.check.check_state import CheckState
from product_importer.imports.pages.check.rows import GRID, rows
from product_importer.ui import styles
from product_importer.ui.grid.component import focus_grid
from product_importer.ui.layout import section
from product_importer.ui.widgets import button, link


def check(import_id: rx.Var[str]) -> rx.Component:
    """The rows of a dry run."""
    return section("Check the rows", rows(import_id))


def rows_to_fix(import_id: rx.Var[str]) -> rx.Component:
    """The rows that an import rejected."""
    return section("Rows that need you", rows(import_id), actions=fix_actions())


def fix_actions() -> rx.Component:
    """Import the corrected rows, or go to the import that has done so."""
    fix = button(
        rx.cond(CheckState.fix_words, CheckState.fix_words, "Import the fixed rows"),
        kind="primary",
        on_click=CheckState.fix_import,
        aria_disabled=rx.cond(CheckState.is_busy, "true", "false"),
        data_testid="import-fix",
    )
    linked = link(
        "These rows were imported again",
        to=f"/imports/{CheckState.linked}",
        class_name=styles.TEXT_LINK,
        data_testid="import-linked",
    )
    return rx.cond(CheckState.linked, linked, fix)


def needs_you(words: rx.Var[str]) -> rx.Component:
    """How many rows need somebody; a click leads to them."""
    return rx.el.button(
        words,
        type="button",
        on_click=focus_grid(GRID),
        class_name="cursor-pointer underline underline-offset-4",
        data_testid="import-needs",
    )
