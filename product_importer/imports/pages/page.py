"""The import pages: upload with history, and one live import."""

import reflex as rx

from product_importer.imports.pages.check.check import check, rows_to_fix
from product_importer.imports.pages.drafts.draft_state import DraftState
from product_importer.imports.pages.drafts.draft_view import draft_view
from product_importer.imports.pages.drafts.drafts_list import unfinished_drafts
from product_importer.imports.pages.drafts.drop_zone import drop_zone, first_steps
from product_importer.imports.pages.drafts.list_state import DraftListState
from product_importer.imports.pages.history_state import HistoryState
from product_importer.imports.pages.history_table import history, search
from product_importer.imports.pages.import_card import import_card, running_import
from product_importer.imports.pages.import_state import ImportState
from product_importer.imports.pages.steps import steps
from product_importer.imports.pages.undo_dialog import kept_products, undo_dialog
from product_importer.ui import routes, styles, widgets
from product_importer.ui.access_state import for_importers
from product_importer.ui.here import is_here
from product_importer.ui.layout import page, section
from product_importer.ui.widgets import button, button_link, empty_state, notice


def imports_page() -> rx.Component:
    """Choose a file, and list what waits, runs and has ended."""
    return page(
        "Imports",
        for_importers(
            steps("file"),
            drop_zone(),
            rx.cond(DraftListState.is_empty_catalogue, first_steps()),
            unfinished_drafts(),
        ),
        rx.cond(DraftListState.is_loaded, started_imports()),
        current=routes.IMPORTS,
    )


def started_imports() -> rx.Component:
    """What runs and has ended."""
    return rx.fragment(
        rx.cond(HistoryState.running.id, section("In progress", running_import(HistoryState.running))),
        section("History", history(), actions=search()),
    )


def import_page() -> rx.Component:
    """Show one import, from its draft to its result."""
    is_draft, is_import = is_here(DraftState.draft.id), is_here(ImportState.live.id)
    shown = rx.cond(is_draft, draft_view(), rx.cond(ImportState.missing, missing(), loading()))
    draft_name = rx.cond(is_draft, DraftState.draft.filename, "Import")
    return page(
        rx.cond(is_import, ImportState.live.filename, draft_name),
        rx.cond(ImportState.load_error, load_error()),
        rx.cond(is_import, one_import(), shown),
        undo_dialog(),
        current=routes.IMPORTS,
        actions=button_link("All imports", to=routes.IMPORTS),
    )


def one_import() -> rx.Component:
    """The step, the import's card, its rows to check or to correct, and the products that its undo kept."""
    job = ImportState.live
    return rx.fragment(
        rx.cond(job.action, rx.fragment(), steps(job.step)),
        import_card(job),
        rx.cond(job.can_apply, check(job.id), rx.cond(job.needs, rows_to_fix(job.id))),
        rx.cond(job.undo.has_kept, section("Kept products", kept_products(job.id))),
    )


def missing() -> rx.Component:
    """A message in place of an import that does not exist."""
    return empty_state("There is no such import", "Check the address, or look for the import in the list.")


def load_error() -> rx.Component:
    """Why the import cannot be shown, and a button to try again."""
    return notice(
        rx.el.p(ImportState.load_error),
        rx.el.div(button("Try again", on_click=ImportState.follow_import), class_name=f"{styles.ACTIONS} mt-2.5"),
        title="The import cannot be shown",
        data_testid="import-problem",
    )


def loading() -> rx.Component:
    """A placeholder while the import is loaded."""
    return rx.cond(ImportState.load_error, rx.fragment(), widgets.loading())
