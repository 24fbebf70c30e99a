"""The card of one import: progress, actions, counts and details."""

import reflex as rx

from product_importer.imports.models import UndoStatus
from product_importer.imports.pages.check.check import needs_you
from product_importer.imports.pages.check.check_state import CheckState
from product_importer.imports.pages.check.rows import GRID
from product_importer.imports.pages.drafts.receive_state import ReceiveState
from product_importer.imports.pages.import_details import details
from product_importer.imports.pages.import_state import ImportState
from product_importer.imports.pages.running.bar import import_bar
from product_importer.imports.pages.running.speed_chart import speed_chart
from product_importer.imports.pages.undo_dialog import undo_result
from product_importer.imports.pages.undo_state import UndoState
from product_importer.imports.pages.view_models import ImportView
from product_importer.ui import routes, styles
from product_importer.ui.access_state import AccessState, for_importers
from product_importer.ui.grid.component import focus_grid
from product_importer.ui.notifications import how_to_allow, notify_button
from product_importer.ui.widgets import badge, button, button_link, download_link, link, local_time, notice

NOTE = "block text-xs font-medium tracking-normal text-accent"


def running_import(job: ImportView) -> rx.Component:
    """The running import, above the history."""
    return rx.el.div(
        head(
            job, link(job.filename, to=f"/imports/{job.id}", class_name="font-medium break-words"), cancel_button(job)
        ),
        import_bar(job),
        figures(job),
        class_name=f"{styles.CARD} {styles.STACK}",
    )


def import_card(job: ImportView) -> rx.Component:
    """The import on its own page, whose title is the file's name."""
    return rx.el.div(
        head(job, rx.fragment(), rx.cond(job.is_running, running_buttons(job))),
        rx.cond(job.is_running, how_to_allow()),
        import_bar(job),
        result(job),
        actions(job),
        rx.cond(ImportState.action_error.title, action_error()),
        rx.cond(job.error, notice(rx.el.p(job.error), data_testid="import-failure")),
        rx.cond(job.stopped, stopped(job)),
        undo_result(job),
        rx.cond(job.can_apply, dry_run_note()),
        figures(job),
        speed_chart(job),
        details(job),
        class_name=f"{styles.CARD} {styles.STACK}",
    )


def running_buttons(job: ImportView) -> rx.Component:
    """What one can do while the import runs."""
    return rx.el.div(
        notify_button("import-notify"), cancel_button(job), class_name="flex flex-wrap items-center gap-2"
    )


def result(job: ImportView) -> rx.Component:
    """What the import has done, in words."""
    words = rx.el.p(
        job.done,
        rx.cond(job.needs, rx.fragment(", ", needs_you(job.needs))),
        role="status",
        class_name=[
            "text-lg font-semibold tracking-tight wrap-anywhere",
            rx.match(job.tone, ("good", "text-good"), ("warning", "text-warning"), ("bad", "text-bad"), "text-ink"),
        ],
        data_tone=job.tone,
        data_testid="import-result",
    )
    return rx.cond(job.done, rx.fragment(words, rx.cond(job.parent, parent_link(job))))


def parent_link(job: ImportView) -> rx.Component:
    """Say of a linked import whose rows it has imported again."""
    return rx.el.p(
        "These are fixed rows of ",
        link(
            "an earlier import",
            to=f"/imports/{job.parent}",
            class_name=styles.TEXT_LINK,
            data_testid="import-parent",
        ),
        ".",
    )


def dry_run_note() -> rx.Component:
    """What a dry run was, and how to go on."""
    return rx.el.p(
        "This was a dry run: the catalogue was not changed.",
        rx.cond(AccessState.can_import, " Check the rows below, then import them.", ""),
        class_name="rounded-lg bg-accent-soft px-3.5 py-2.5",
    )


def head(job: ImportView, title: rx.Component, buttons: rx.Component) -> rx.Component:
    """The status, the title, the current step and the buttons."""
    return rx.el.div(
        badge(job.status, tone=job.tone, data_testid="import-status", role="status"),
        title,
        rx.el.span(job.doing, class_name="min-w-0 flex-1 text-muted tabular-nums"),
        buttons,
        class_name="flex flex-wrap items-center gap-3",
    )


def actions(job: ImportView) -> rx.Component:
    """The actions that are possible once the import has ended."""
    parts = rx.el.div(
        for_importers(
            rx.cond(job.can_apply, apply_button()),
            rx.cond(job.can_retry, retry_button(job)),
            rx.cond(job.can_apply, change_columns(job)),
            rx.cond(job.needs & ~job.can_apply, fix_button()),
        ),
        rx.cond(job.created_address, products_link(job)),
        for_importers(rx.cond(job.undo.status == UndoStatus.POSSIBLE, undo_button(job))),
        rx.cond(job.has_rejects, rejects_link(job)),
        rx.cond(
            job.action,
            button_link("View products", to=routes.PRODUCTS),
            for_importers(button_link("Import again", to=routes.IMPORTS, data_testid="import-again")),
        ),
        class_name=styles.ACTIONS,
        data_testid="import-actions",
    )
    return rx.cond(job.is_running, rx.fragment(), parts)


def change_columns(job: ImportView) -> rx.Component:
    """Go back to the columns, with the same file."""
    return button("Change columns", on_click=ReceiveState.reopen_import(job.id), data_testid="check-change-columns")


def fix_button() -> rx.Component:
    """Go to the rows that were rejected."""
    return button("Fix the rows", kind="primary", on_click=focus_grid(GRID), data_testid="import-fix-rows")


def products_link(job: ImportView) -> rx.Component:
    """Show the products that the import created."""
    return button_link("View the new products", to=job.created_address, data_testid="import-products")


def rejects_link(job: ImportView) -> rx.Component:
    """Download the rejected rows, to be corrected."""
    return download_link(
        "Download the rejected rows",
        href=f"/api/jobs/{job.id}/rejects",
        class_name=styles.button_look(""),
        data_testid="import-rejects",
    )


def cancel_button(job: ImportView) -> rx.Component:
    """Cancel the running import."""
    label = rx.cond(job.action, "Cancel", "Cancel import")
    cancel = button(label, on_click=ImportState.cancel_import(job.id), data_testid="import-cancel")
    return rx.cond(job.is_running, for_importers(cancel))


def retry_button(job: ImportView) -> rx.Component:
    """Continue an import, or repeat a dry run."""
    return button(
        rx.cond(job.can_apply, "Repeat dry run", "Retry"),
        kind=rx.cond(job.can_apply, "", "primary"),
        on_click=ImportState.retry_import,
        disabled=ImportState.is_busy,
        data_testid="import-retry",
    )


def apply_button() -> rx.Component:
    """Apply the dry run."""
    return button(
        rx.cond(CheckState.import_words, CheckState.import_words, "Import"),
        kind="primary",
        on_click=ImportState.apply_import,
        disabled=ImportState.is_busy,
        title="Make the changes that the dry run has shown",
        data_testid="import-apply",
    )


def undo_button(job: ImportView) -> rx.Component:
    """Open the undo dialog; says until when that is possible."""
    return button(
        "Undo until ", local_time(job.undo.until), on_click=UndoState.open_dialog(job.id), data_testid="import-undo"
    )


def action_error() -> rx.Component:
    """Why an action failed, with examples of the products in the way."""
    error = ImportState.action_error
    examples = rx.foreach(error.examples, lambda sku: rx.el.li(sku, class_name=f"{styles.CHIP} {styles.MONO}"))
    return notice(
        rx.el.p(error.detail),
        rx.cond(error.examples.length() > 0, rx.el.ul(examples, class_name="mt-2 flex flex-wrap gap-1.5")),
        title=error.title,
        data_testid="import-refusal",
    )


def stopped(job: ImportView) -> rx.Component:
    """What a failed or cancelled import has left, and how to continue it."""
    return rx.el.p(
        job.stopped,
        rx.cond(job.can_retry, " Retry continues from there.", ""),
        rx.cond(job.file_gone, " The uploaded file was deleted. Upload it again to continue.", ""),
        data_testid="import-stopped",
    )


def figures(job: ImportView) -> rx.Component:
    """The counts; those that are zero are not seen."""
    return rx.el.dl(
        figure("Processed", job.processed, testid="import-processed"),
        figure(rx.cond(job.action, "Total", "Total rows"), job.total, testid="import-total"),
        count(rx.cond(job.is_dry_run, "To create", "Created"), job.created, testid="import-created"),
        count(rx.cond(job.is_dry_run, "To update", "Updated"), job.updated, testid="import-updated"),
        count("Unchanged", job.unchanged, testid="import-unchanged"),
        count("Duplicates", job.duplicates, testid="import-duplicates", note=duplicates_link(job)),
        count("Rejected", job.rejected, testid="import-rejected"),
        count("Deleted", job.deleted, testid="import-deleted"),
        class_name="grid grid-cols-2 gap-4 border-t border-line pt-4 md:grid-cols-7",
    )


def count(
    label: rx.Var[str] | str, value: rx.Var[str], *, testid: str, note: rx.Component | None = None
) -> rx.Component:
    """A count that is seen when it is not zero."""
    return figure(label, value, testid=testid, note=note, hidden=value == "0")


def figure(
    label: rx.Var[str] | str,
    value: rx.Var[str],
    *,
    testid: str,
    note: rx.Component | None = None,
    hidden: rx.Var[bool] | bool = False,
) -> rx.Component:
    """A number under its name; only the number has the test id."""
    return rx.el.div(
        rx.el.dt(label, class_name="text-xs text-muted"),
        rx.el.dd(
            rx.el.span(value, data_testid=testid),
            note or rx.fragment(),
            class_name="text-lg font-semibold tracking-tight tabular-nums",
        ),
        hidden=hidden,
    )


def duplicates_link(job: ImportView) -> rx.Component:
    """A link to the rows that were not used because another one has the same SKU, if there are any."""
    address = f"/api/jobs/{job.id}/rejects?duplicates=true"
    file = download_link("Download", href=address, aria_label="Download the duplicate rows", class_name=NOTE)
    return rx.cond(job.has_duplicates, file)
