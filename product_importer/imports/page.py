"""The pages of the imports: upload and history; one import, live."""

import reflex as rx

from product_importer.imports.state import UPLOAD, ImportState, ImportView, Refusal
from product_importer.ui import routes
from product_importer.ui.layout import page, section
from product_importer.ui.widgets import (
    badge,
    button,
    download_link,
    empty_state,
    figure,
    link,
    local_time,
    pager,
    progress_bar,
)


def imports_page() -> rx.Component:
    """Upload a catalogue; see what runs and what ran."""
    return page(
        "Imports",
        upload_form(),
        rx.cond(ImportState.live.id, section("In progress", live_import(named=True))),
        section("History", history()),
        current=routes.IMPORTS,
    )


def import_page() -> rx.Component:
    """One import, from the upload to its result."""
    return page(
        rx.cond(ImportState.live.filename, ImportState.live.filename, "Import"),
        rx.cond(
            ImportState.missing,
            empty_state("There is no such import", "It may never have been, or its address is mistyped."),
            rx.cond(ImportState.live.id, live_import(), rx.el.div(class_name="card loading", aria_busy="true")),
        ),
        current=routes.IMPORTS,
        actions=link("All imports", to=routes.IMPORTS, class_name="button"),
    )


def upload_form() -> rx.Component:
    """Choose a file, send it."""
    chosen = rx.selected_files(UPLOAD)
    return rx.el.section(
        drop_zone(chosen),
        rx.cond(ImportState.refusal.title, refusal(ImportState.refusal)),
        rx.el.div(rx.cond(ImportState.uploading, upload_progress()), start_button(chosen), class_name="upload-row"),
        aria_label="Upload",
        class_name="stack",
    )


def drop_zone(chosen: rx.Var[list[str]]) -> rx.Component:
    """Where a file is dropped or chosen."""
    return rx.upload.root(
        rx.el.p(
            rx.cond(chosen.length() > 0, chosen.join(", "), "Drop a CSV file here"),
            class_name="drop-title",
            aria_live="polite",
        ),
        rx.el.p("Its first line names the columns: sku, name, description. Any size.", class_name="muted"),
        # The click goes on to the drop zone, which opens the dialog; the button is for keyboards and screen readers.
        button("Choose a file"),
        id=UPLOAD,
        multiple=False,
        no_keyboard=True,
        class_name="drop-zone",
        drag_active_style={"border_color": "var(--accent)", "background": "var(--accent-soft)"},
        data_testid="import-file",
    )


def start_button(chosen: rx.Var[list[str]]) -> rx.Component:
    """Send the chosen file."""
    upload = rx.upload_files_chunk(UPLOAD, on_upload_progress=ImportState.show_upload.throttle(200))
    return button(
        "Import",
        kind="primary",
        on_click=ImportState.start_import(upload),
        disabled=ImportState.uploading | (chosen.length() == 0),
        data_testid="import-start",
    )


def upload_progress() -> rx.Component:
    """How much has left the browser."""
    return rx.el.div(
        progress_bar(ImportState.uploaded, label="Upload", data_testid="upload-progress"),
        rx.el.span("Uploading, ", ImportState.uploaded, " %", class_name="muted numeric", role="status"),
        button("Cancel", kind="quiet", on_click=rx.cancel_upload(UPLOAD), data_testid="upload-cancel"),
        class_name="upload-progress",
    )


def refusal(why: Refusal) -> rx.Component:
    """Why the file was not accepted and what to do."""
    return rx.el.div(
        rx.el.p(why.title, class_name="notice-title"),
        rx.el.p(why.detail),
        rx.foreach(why.suggestions, rx.el.p),
        role="alert",
        class_name="notice",
        data_tone="bad",
        data_testid="import-error",
    )


def live_import(named: bool = False) -> rx.Component:
    """An import as it goes on."""
    job = ImportState.live
    return rx.el.div(
        rx.el.div(
            badge(job.status, tone=job.tone, data_testid="import-status", role="status"),
            link(job.filename, to=f"/imports/{job.id}", class_name="strong") if named else rx.fragment(),
            rx.el.span(job.doing, class_name="muted numeric grow"),
            rx.cond(job.is_running, cancel_button()),
            class_name="row",
        ),
        progress_bar(job.percent, label="Import", tone=job.tone, data_testid="import-progress"),
        rx.cond(job.error, failure(job)),
        figures(job),
        rx.el.p(job.size, " · ", local_time(job.created_at), class_name="muted"),
        class_name="card stack",
    )


def cancel_button() -> rx.Component:
    """Stop the running import."""
    return button("Cancel import", on_click=ImportState.cancel_import, data_testid="import-cancel")


def failure(job: ImportView) -> rx.Component:
    """Why the import failed."""
    return rx.el.div(job.error, role="alert", class_name="notice", data_tone="bad")


def figures(job: ImportView) -> rx.Component:
    """The counts."""
    rejects = download_link("Download", href=f"/api/jobs/{job.id}/rejects", class_name="figure-note")
    return rx.el.dl(
        figure("Processed", job.processed, testid="import-processed"),
        figure("Total rows", job.total, testid="import-total"),
        figure("Created", job.created, testid="import-created"),
        figure("Updated", job.updated, testid="import-updated"),
        figure("Unchanged", job.unchanged, testid="import-unchanged"),
        figure("Duplicates", job.duplicates, testid="import-duplicates"),
        figure("Rejected", job.rejected, testid="import-rejected", note=rx.cond(job.has_rejects, rejects)),
        class_name="figures",
    )


def history() -> rx.Component:
    """All imports, newest first."""
    return rx.cond(
        ImportState.history.length() > 0,
        rx.fragment(history_table(), history_pager()),
        rx.cond(
            ImportState.loaded,
            empty_state("No imports yet", "What you import appears here, with its result."),
        ),
    )


def history_table() -> rx.Component:
    """One line an import."""
    titles = ("File", "Status", "Rows", "Created", "Updated", "Rejected", "Started")
    numeric = ("Rows", "Created", "Updated", "Rejected")
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    *(rx.el.th(name, scope="col", class_name="right" if name in numeric else "") for name in titles)
                )
            ),
            rx.el.tbody(rx.foreach(ImportState.history, history_row)),
            class_name="table cards",
        ),
        class_name="table-box",
    )


def history_row(job: ImportView) -> rx.Component:
    """One import."""
    return rx.el.tr(
        rx.el.td(link(job.filename, to=f"/imports/{job.id}", class_name="strong"), class_name="lead"),
        rx.el.td(badge(job.status, tone=job.tone), data_label="Status"),
        *(
            rx.el.td(value, class_name="right numeric", data_label=label)
            for label, value in (
                ("Rows", job.total),
                ("Created", job.created),
                ("Updated", job.updated),
                ("Rejected", job.rejected),
            )
        ),
        rx.el.td(local_time(job.created_at), class_name="muted", data_label="Started"),
        data_testid="import-row",
    )


def history_pager() -> rx.Component:
    """Older and newer imports, where one page does not hold them."""
    return rx.cond(
        ImportState.history_pages > 1,
        pager(
            ImportState.history_page,
            ImportState.history_pages,
            previous=ImportState.turn_history(-1),
            following=ImportState.turn_history(1),
            prefix="imports",
        ),
    )
