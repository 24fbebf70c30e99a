"""Taking an import back: the question before it, and what came of it."""

import reflex as rx

from product_importer.imports.pages.change_view_models import KeptView
from product_importer.imports.pages.import_state import ImportState
from product_importer.imports.pages.undo_state import UndoState
from product_importer.imports.pages.view_models import ImportView
from product_importer.ui.modal import close_dialog, modal
from product_importer.ui.widgets import badge, button, link, local_time, notice, pager

UNDO = "undo-dialog"


def undo_dialog() -> rx.Component:
    """Take the import back, after a question."""
    job = ImportState.live
    return modal(
        "Undo this import?",
        rx.el.p(
            "The products that it created, ",
            rx.el.strong(job.created),
            ", are removed. Those that it updated, ",
            rx.el.strong(job.updated),
            ", get back what they were before. Whatever somebody has changed since stays as it is, and is listed.",
        ),
        rx.el.p(
            "It is possible until ",
            local_time(job.undo.until),
            ", and is final: an undo cannot be undone.",
            class_name="muted",
        ),
        rx.cond(
            UndoState.error,
            notice(rx.el.p(UndoState.error), title="Nothing was undone", data_testid="undo-error"),
        ),
        rx.el.div(
            button("Cancel", on_click=close_dialog(UNDO), custom_attrs={"data-focus": ""}),
            button(
                rx.cond(UndoState.is_busy, "Undoing…", "Undo import"),
                kind="danger",
                on_click=UndoState.undo_import,
                disabled=UndoState.is_busy,
                aria_busy=rx.cond(UndoState.is_busy, "true", "false"),
                data_testid="confirm-undo",
            ),
            class_name="dialog-actions",
        ),
        name=UNDO,
        shown=UndoState.is_open,
        on_close=UndoState.close,
        role="alertdialog",
    )


def undo_result(job: ImportView) -> rx.Component:
    """What came of taking it back."""
    return rx.match(
        job.undo.status,
        ("pending", told(badge("undoing", tone="busy"), "Its products are being taken back …")),
        ("undone", told(badge("undone", tone="neutral"), job.undo.result)),
        rx.fragment(),
    )


def told(state: rx.Component, words: rx.Var[str] | str) -> rx.Component:
    """How it stands, in a line."""
    return rx.el.p(
        state, rx.el.span(words, class_name="strong"), role="status", class_name="last", data_testid="undo-result"
    )


def kept_products(import_id: rx.Var[str]) -> rx.Component:
    """The products that stayed as they were, and why."""
    return rx.el.div(
        rx.cond(UndoState.kept_error, notice(rx.el.p(UndoState.kept_error), title="What was kept cannot be shown")),
        rx.el.div(
            rx.el.table(
                rx.el.thead(rx.el.tr(rx.el.th("Kept", scope="col"), rx.el.th("Why", scope="col"))),
                rx.el.tbody(rx.foreach(UndoState.kept, kept_row)),
                class_name="table cards",
            ),
            class_name="table-box",
        ),
        rx.cond(
            UndoState.kept_pages > 1,
            pager(
                UndoState.kept_page,
                UndoState.kept_pages,
                previous=UndoState.turn_kept(-1),
                following=UndoState.turn_kept(1),
                prefix="kept",
            ),
        ),
        on_mount=UndoState.open_kept(import_id),
        class_name="stack",
        data_testid="undo-kept",
    )


def kept_row(kept: KeptView) -> rx.Component:
    """One of them."""
    return rx.el.tr(
        rx.el.td(
            rx.cond(kept.address, link(kept.sku, to=kept.address, class_name="download"), kept.sku),
            class_name="lead mono",
        ),
        rx.el.td(kept.reason, data_label="Why"),
        data_testid="kept-row",
        key=kept.id,
    )
