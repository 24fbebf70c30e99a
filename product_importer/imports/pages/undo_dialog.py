"""The undo of an import: the confirmation dialog, the result, and the kept products."""

import reflex as rx

from product_importer.imports.action_schemas import ActionKind
from product_importer.imports.models import UndoStatus
from product_importer.imports.pages.import_state import ImportState
from product_importer.imports.pages.kept_view import KeptView
from product_importer.imports.pages.undo_state import UndoState
from product_importer.imports.pages.view_models import ImportView
from product_importer.ui import styles, tables
from product_importer.ui.modal import dialog_actions, modal
from product_importer.ui.widgets import badge, button, link, local_time, notice, pager

UNDO = "undo-dialog"


def undo_dialog() -> rx.Component:
    """Ask for confirmation before the undo."""
    job = ImportState.live
    return modal(
        rx.cond(job.action, "Undo this action?", "Undo this import?"),
        rx.match(job.action, ("", of_import(job)), (ActionKind.DELETE, of_deletion(job)), of_change(job)),
        rx.el.p(
            "Undo is possible until ",
            local_time(job.undo.until),
            ". It is final: an undo cannot be undone.",
            class_name="text-muted",
        ),
        rx.cond(
            UndoState.error,
            notice(rx.el.p(UndoState.error), title="Nothing was undone", data_testid="undo-error"),
        ),
        dialog_actions(
            UNDO,
            button(
                rx.cond(UndoState.is_busy, "Undoing…", rx.cond(job.action, "Undo action", "Undo import")),
                kind="danger",
                on_click=UndoState.undo_import,
                disabled=UndoState.is_busy,
                aria_busy=rx.cond(UndoState.is_busy, "true", "false"),
                data_testid="confirm-undo",
            ),
            is_focused=True,
        ),
        name=UNDO,
        shown=UndoState.is_open,
        on_close=UndoState.close,
        role="alertdialog",
    )


def of_import(job: ImportView) -> rx.Component:
    """What the undo of an import does."""
    return rx.el.p(
        "The created products (",
        rx.el.strong(job.created),
        ") are deleted and the updated ones (",
        rx.el.strong(job.updated),
        ") get their previous values back. Products that were changed since are kept and listed.",
    )


def of_change(job: ImportView) -> rx.Component:
    """What the undo of a change of many products does."""
    return rx.el.p(
        "The updated products (",
        rx.el.strong(job.updated),
        ") get their previous values back. Products that were changed since are kept and listed.",
    )


def of_deletion(job: ImportView) -> rx.Component:
    """What the undo of a deletion does."""
    return rx.el.p(
        "The deleted products (",
        rx.el.strong(job.deleted),
        ") come back as they were. Those whose SKU another product has now are listed.",
    )


def undo_result(job: ImportView) -> rx.Component:
    """Whether the undo is running, or its counts."""
    return rx.match(
        job.undo.status,
        (UndoStatus.PENDING, result_line(badge("undoing", tone="busy"), "It is being undone …")),
        (UndoStatus.UNDONE, result_line(badge("undone", tone="neutral"), job.undo.result)),
        rx.fragment(),
    )


def result_line(state: rx.Component, text: rx.Var[str] | str) -> rx.Component:
    """A badge and a text in one line."""
    return rx.el.p(
        state,
        rx.el.span(text, class_name=styles.STRONG),
        role="status",
        class_name=styles.LINE,
        data_testid="undo-result",
    )


def kept_products(import_id: rx.Var[str]) -> rx.Component:
    """The products that the undo did not change, and why."""
    return rx.el.div(
        rx.cond(
            UndoState.kept_error, notice(rx.el.p(UndoState.kept_error), title="The kept products cannot be shown")
        ),
        tables.table(tables.headings("Product", "Reason"), tables.body(rx.foreach(UndoState.kept, kept_row))),
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
        class_name=styles.STACK,
        data_testid="undo-kept",
    )


def kept_row(kept: KeptView) -> rx.Component:
    """One kept product."""
    product = rx.cond(kept.address, link(kept.sku, to=kept.address, class_name=styles.TEXT_LINK), kept.sku)
    return tables.row(
        tables.lead(product, class_name=styles.MONO),
        tables.cell(kept.reason, label="Reason"),
        data_testid="kept-row",
        key=kept.id,
    )
