"""The card of one import: progress, actions, counts and details."""

import reflex as rx

from product_importer.imports.models import UndoStatus
from product_importer.imports.pages.import_state import ImportState
from product_importer.imports.pages.undo_dialog import undo_result
from product_importer.imports.pages.undo_state import UndoState
from product_importer.imports.pages.view_models import Fact, ImportView
from product_importer.imports.pages.warning_view import WarningView
from product_importer.ui.access_state import AccessState, for_importers
from product_importer.ui.widgets import badge, button, download_link, figure, link, local_time, notice, progress_bar


def running_import(job: ImportView) -> rx.Component:
    """The running import, above the history."""
    return rx.el.div(
        head(job, link(job.filename, to=f"/imports/{job.id}", class_name="strong"), cancel_button(job)),
        progress_bar(job.percent, label="Import", tone=job.tone, data_testid="import-progress"),
        figures(job),
        class_name="card stack",
    )


def import_card(job: ImportView) -> rx.Component:
    """The import on its own page, whose title is the file's name."""
    return rx.el.div(
        head(job, rx.fragment(), actions(job)),
        progress_bar(job.percent, label="Import", tone=job.tone, data_testid="import-progress"),
        rx.cond(ImportState.action_error.title, action_error()),
        rx.cond(job.error, notice(rx.el.p(job.error), data_testid="import-failure")),
        rx.cond(job.stopped, stopped(job)),
        rx.cond(job.warnings.length() > 0, warnings(job)),
        undo_result(job),
        rx.cond(job.can_apply, dry_run_note()),
        figures(job),
        details(job),
        class_name="card stack",
    )


def dry_run_note() -> rx.Component:
    """What a dry run was, and how to go on."""
    return rx.el.p(
        "This was a dry run: the catalogue was not changed.",
        rx.cond(AccessState.can_import, " Check the changes below, then apply them.", ""),
        class_name="dry-run-note",
    )


def head(job: ImportView, title: rx.Component, buttons: rx.Component) -> rx.Component:
    """The status, the title, the current step and the buttons."""
    return rx.el.div(
        badge(job.status, tone=job.tone, data_testid="import-status", role="status"),
        title,
        rx.el.span(job.doing, class_name="muted numeric grow"),
        buttons,
        class_name="row",
    )


def actions(job: ImportView) -> rx.Component:
    """The actions that are possible now."""
    return rx.el.div(
        cancel_button(job),
        for_importers(
            rx.cond(job.undo.status == UndoStatus.POSSIBLE, undo_button(job)),
            rx.cond(job.can_retry, retry_button(job)),
            rx.cond(job.can_apply, apply_button()),
        ),
        class_name="actions",
    )


def cancel_button(job: ImportView) -> rx.Component:
    """Cancel the running import."""
    cancel = button("Cancel import", on_click=ImportState.cancel_import(job.id), data_testid="import-cancel")
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
        "Apply",
        kind="primary",
        on_click=ImportState.apply_import,
        disabled=ImportState.is_busy,
        title="Make the changes that the dry run has shown",
        data_testid="import-apply",
    )


def undo_button(job: ImportView) -> rx.Component:
    """Open the undo dialog."""
    return button("Undo…", on_click=UndoState.open_dialog(job.id), data_testid="import-undo")


def action_error() -> rx.Component:
    """Why an action failed, with examples of the products in the way."""
    error = ImportState.action_error
    examples = rx.foreach(error.examples, lambda sku: rx.el.li(sku, class_name="chip mono"))
    return notice(
        rx.el.p(error.detail),
        rx.cond(error.examples.length() > 0, rx.el.ul(examples, class_name="chips")),
        title=error.title,
        data_testid="import-refusal",
    )


def warnings(job: ImportView) -> rx.Component:
    """What the file was read with an assumption for; nothing failed, so screen readers are not interrupted."""
    return notice(
        rx.el.ul(rx.foreach(job.warnings, warning), class_name="notice-list"),
        title="Check how the file was read",
        tone="warning",
        role="status",
        data_testid="import-warnings",
    )


def warning(shown: WarningView) -> rx.Component:
    """One assumption, and where it was made."""
    return rx.el.li(shown.message, rx.cond(shown.where, rx.el.span(" ", shown.where, class_name="numeric")))


def stopped(job: ImportView) -> rx.Component:
    """What a failed or cancelled import has left, and how to continue it."""
    return rx.el.p(
        job.stopped,
        rx.cond(job.can_retry, " Retry continues from there.", ""),
        rx.cond(job.file_gone, " The uploaded file was deleted. Upload it again to continue.", ""),
        data_testid="import-stopped",
    )


def figures(job: ImportView) -> rx.Component:
    """The counts."""
    return rx.el.dl(
        figure("Processed", job.processed, testid="import-processed"),
        figure("Total rows", job.total, testid="import-total"),
        figure(rx.cond(job.is_dry_run, "To create", "Created"), job.created, testid="import-created"),
        figure(rx.cond(job.is_dry_run, "To update", "Updated"), job.updated, testid="import-updated"),
        figure("Unchanged", job.unchanged, testid="import-unchanged"),
        figure("Duplicates", job.duplicates, testid="import-duplicates", note=duplicates_link(job)),
        figure("Rejected", job.rejected, testid="import-rejected", note=rejects_link(job)),
        class_name="figures",
    )


def rejects_link(job: ImportView) -> rx.Component:
    """A link to the rejected rows, if there are any."""
    return rx.cond(job.has_rejects, rows_link(f"/api/jobs/{job.id}/rejects", "Download the rejected rows"))


def duplicates_link(job: ImportView) -> rx.Component:
    """A link to the rows that were not used because another one has the same SKU, if there are any."""
    address = f"/api/jobs/{job.id}/rejects?duplicates=true"
    return rx.cond(job.has_duplicates, rows_link(address, "Download the duplicate rows"))


def rows_link(address: str, label: str) -> rx.Component:
    """A download below a count; `label` is for screen readers."""
    return download_link("Download", href=address, aria_label=label, class_name="figure-note")


def details(job: ImportView) -> rx.Component:
    """The file, its format, the options and the columns."""
    return rx.el.dl(
        detail("File", job.size, " · uploaded ", local_time(job.created_at), applied(job)),
        detail("Format", job.format, rx.cond(job.is_format_guessed, GUESSED, ""), testid="import-format"),
        detail("Options", rx.foreach(job.options, option), class_name="facts", testid="import-choices"),
        detail(
            "Columns",
            rx.foreach(job.columns, column),
            rx.foreach(job.other_columns, lambda line: rx.el.span(line, class_name="muted")),
            class_name="facts",
            testid="import-columns",
        ),
        rx.cond(job.started_by, detail("Started by", job.started_by, testid="import-started-by")),
        undo_deadline(job),
        class_name="details",
    )


GUESSED = " (detected, not certain). Is the text wrong? Upload the file again and choose the encoding under Options."


def undo_deadline(job: ImportView) -> rx.Component:
    """Until when the import can be undone."""
    return rx.match(
        job.undo.status,
        (UndoStatus.POSSIBLE, detail("Undo", "Possible until ", local_time(job.undo.until))),
        (UndoStatus.EXPIRED, detail("Undo", "No longer possible: the import is too old.")),
        rx.fragment(),
    )


def applied(job: ImportView) -> rx.Component:
    """When a dry run was applied."""
    return rx.cond(job.applied_at, rx.el.span(" · dry run, applied ", local_time(job.applied_at)))


def detail(label: str, *content: rx.Component | rx.Var | str, class_name: str = "", testid: str = "") -> rx.Component:
    """A label and its content."""
    return rx.el.div(
        rx.el.dt(label, class_name="label"), rx.el.dd(*content, class_name=class_name, data_testid=testid or None)
    )


def option(fact: Fact) -> rx.Component:
    """One option."""
    return rx.el.span(rx.el.span(fact.label, ": ", class_name="muted"), fact.value)


def column(fact: Fact) -> rx.Component:
    """A field, and the column that fills it if it has another name."""
    return rx.el.span(
        rx.el.span(fact.label, class_name="strong"), rx.cond(fact.value, rx.fragment(" from “", fact.value, "”"))
    )
