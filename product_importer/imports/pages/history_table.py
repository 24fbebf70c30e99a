"""The history table: one row for each import."""

import reflex as rx

from product_importer.imports.models import ImportStatus, UndoStatus
from product_importer.imports.pages.history_state import HistoryState
from product_importer.imports.pages.view_models import ImportView
from product_importer.ui.formatting import DASH
from product_importer.ui.widgets import (
    badge,
    button,
    choice,
    download_link,
    empty_state,
    link,
    local_time,
    notice,
    pager,
    search_field,
)

COLUMNS = ("File", "Status", "Rows", "Created", "Updated", "Rejected", "Duration", "Uploaded")
STATUSES = (("", "All"), *((status.value, status.value.capitalize()) for status in ImportStatus))
IS_FILTERED = (HistoryState.listing.q != "") | (HistoryState.listing.status != "")
NUMERIC = ("Rows", "Created", "Updated", "Rejected", "Duration")


def history() -> rx.Component:
    """All imports, newest first."""
    return rx.cond(
        HistoryState.error,
        problem(),
        rx.cond(HistoryState.imports.length() > 0, rx.fragment(history_table(), history_pager()), no_imports()),
    )


def search() -> rx.Component:
    """Search imports by file name and status, once there are some."""
    control = search_field(
        "Find by file name",
        name="imports-search",
        value=HistoryState.listing.q,
        filling=HistoryState.filling,
        on_change=HistoryState.search_imports,
    )
    status = choice(
        "Status",
        STATUSES,
        name="imports-status",
        value=HistoryState.listing.status,
        on_change=HistoryState.filter_status,
    )
    is_needed = (HistoryState.imports.length() > 0) | IS_FILTERED | HistoryState.loading
    return rx.cond(
        is_needed, rx.el.div(control, status, role="search", aria_label="Find imports", class_name="history-search")
    )


def problem() -> rx.Component:
    """Why the history cannot be shown, and a button to try again."""
    return notice(
        rx.el.p(HistoryState.error),
        rx.el.div(button("Try again", on_click=HistoryState.reload), class_name="actions"),
        title="The imports cannot be shown",
        data_testid="imports-problem",
    )


def no_imports() -> rx.Component:
    """A message in place of an empty table."""
    clear = button("Show all imports", on_click=HistoryState.clear_search)
    return rx.cond(
        HistoryState.loaded,
        rx.cond(
            IS_FILTERED,
            empty_state("No import matches", "No import has this text in its file's name, and this status.", clear),
            empty_state("No imports yet", "Imports appear here with their results."),
        ),
        rx.el.div(class_name="card loading", aria_busy="true"),
    )


def history_table() -> rx.Component:
    """The table of one page of imports."""
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    *(rx.el.th(name, scope="col", class_name="right" if name in NUMERIC else "") for name in COLUMNS)
                )
            ),
            rx.el.tbody(rx.foreach(HistoryState.imports, history_row)),
            class_name="table cards history",
        ),
        aria_busy=rx.cond(HistoryState.loading, "true", "false"),
        class_name="table-box",
    )


def history_row(job: ImportView) -> rx.Component:
    """One import."""
    return rx.el.tr(
        rx.el.td(
            rx.el.div(
                link(job.filename, to=f"/imports/{job.id}", class_name="strong"),
                rx.cond(
                    job.changed_options.length() > 0,
                    rx.el.div(
                        rx.foreach(job.changed_options, lambda label: rx.el.span(label, class_name="chip")),
                        class_name="chips",
                    ),
                ),
                class_name="history-file",
            ),
            class_name="lead",
        ),
        rx.el.td(
            rx.el.div(badge(job.status, tone=job.tone), undo_state(job), outcome(job), class_name="history-status"),
            data_label="Status",
        ),
        rx.el.td(job.total, class_name="right numeric", data_label="Rows"),
        rx.el.td(done(job, job.created), class_name="right numeric", data_label="Created"),
        rx.el.td(done(job, job.updated), class_name="right numeric", data_label="Updated"),
        rx.el.td(rejected(job), class_name="right numeric", data_label="Rejected"),
        rx.el.td(took(job), class_name="right numeric", data_label="Duration"),
        rx.el.td(uploaded(job), class_name="muted", data_label="Uploaded"),
        data_testid="import-row",
        key=job.id,
    )


def outcome(job: ImportView) -> rx.Component:
    """What the import has done, in words; how far it is while it runs."""
    words = rx.cond(job.is_running, f"{job.percent} %", job.result)
    return rx.cond(words, rx.el.span(words, class_name="outcome", data_testid="import-outcome"))


def done(job: ImportView, count: rx.Var[str]) -> rx.Component:
    """A count of changed products; a dry run has changed none."""
    return rx.cond(job.is_dry_run, DASH, count)


def undo_state(job: ImportView) -> rx.Component:
    """A badge where the import was undone or is being undone."""
    return rx.match(
        job.undo.status,
        (UndoStatus.UNDONE, badge("undone", tone="neutral")),
        (UndoStatus.PENDING, badge("undoing", tone="busy")),
        rx.fragment(),
    )


def rejected(job: ImportView) -> rx.Component:
    """The count of rejected rows, as a link that downloads them."""
    file = download_link(
        job.rejected,
        href=f"/api/jobs/{job.id}/rejects",
        aria_label=f"Download the {job.rejected} rejected rows of {job.filename}",
        title="Download the rejected rows",
        class_name="download",
    )
    return rx.cond(job.has_rejects, file, job.rejected)


def took(job: ImportView) -> rx.Component:
    """The duration and the speed."""
    return rx.el.div(
        rx.el.div(rx.cond(job.took, job.took, "—")),
        rx.cond(job.speed, rx.el.div(job.speed, class_name="hint")),
    )


def uploaded(job: ImportView) -> rx.Component:
    """When the file was uploaded, and who started the import."""
    return rx.el.div(
        rx.el.div(local_time(job.created_at)),
        rx.cond(job.started_by, rx.el.div("started by ", job.started_by, class_name="hint")),
    )


def history_pager() -> rx.Component:
    """Buttons to turn the pages, where there is more than one."""
    return rx.cond(
        HistoryState.pages > 1,
        pager(
            HistoryState.listing.page,
            HistoryState.pages,
            previous=HistoryState.turn_history(-1),
            following=HistoryState.turn_history(1),
            prefix="imports",
        ),
    )
