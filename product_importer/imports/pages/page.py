"""The pages of the imports: upload and history; one import, live."""

import reflex as rx

from product_importer.imports.pages.dry_run_changes import trial_changes
from product_importer.imports.pages.history_state import HistoryState
from product_importer.imports.pages.history_table import history, search
from product_importer.imports.pages.import_card import import_card, running_import
from product_importer.imports.pages.import_state import ImportState
from product_importer.imports.pages.undo_dialog import kept_products, undo_dialog
from product_importer.imports.pages.upload_form import upload_form
from product_importer.ui import routes
from product_importer.ui.layout import page, section
from product_importer.ui.widgets import button, empty_state, link, notice


def imports_page() -> rx.Component:
    """Upload a catalogue; see what runs and what ran."""
    return page(
        "Imports",
        upload_form(),
        rx.cond(HistoryState.running.id, section("In progress", running_import(HistoryState.running))),
        section("History", history(), actions=search()),
        current=routes.IMPORTS,
    )


def import_page() -> rx.Component:
    """One import, from the upload to its result."""
    return page(
        rx.cond(ImportState.live.filename, ImportState.live.filename, "Import"),
        rx.cond(ImportState.problem, problem()),
        rx.cond(ImportState.missing, missing(), rx.cond(ImportState.live.id, one_import(), loading())),
        undo_dialog(),
        current=routes.IMPORTS,
        actions=link("All imports", to=routes.IMPORTS, class_name="button"),
    )


def one_import() -> rx.Component:
    """The import, and what it has done or would do."""
    job = ImportState.live
    return rx.fragment(
        import_card(job),
        rx.cond(job.undo.has_kept, section("Kept as they were", kept_products(job.id))),
        rx.cond(job.can_apply, section("What it would change", trial_changes(job.id))),
    )


def missing() -> rx.Component:
    """Instead of an import."""
    return empty_state("There is no such import", "It may never have been, or its address is mistyped.")


def problem() -> rx.Component:
    """Why nothing can be shown, and the way out."""
    return notice(
        rx.el.p(ImportState.problem),
        rx.el.div(button("Try again", on_click=ImportState.follow_import), class_name="actions"),
        title="The import cannot be shown",
        data_testid="import-problem",
    )


def loading() -> rx.Component:
    """What stands there while it is asked for."""
    return rx.cond(ImportState.problem, rx.fragment(), rx.el.div(class_name="card loading", aria_busy="true"))
