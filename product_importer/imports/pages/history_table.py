"""The history: one line for each import."""

import reflex as rx

from product_importer.imports.pages.history_state import HistoryState
from product_importer.imports.pages.view_models import ImportView
from product_importer.ui.widgets import (
    badge,
    button,
    download_link,
    empty_state,
    link,
    local_time,
    notice,
    pager,
    search_field,
)

COLUMNS = ("File", "Status", "Rows", "Created", "Updated", "Rejected", "Took", "Started")
NUMERIC = ("Rows", "Created", "Updated", "Rejected", "Took")


def history() -> rx.Component:
    """All imports, newest first."""
    return rx.cond(
        HistoryState.error,
        problem(),
        rx.cond(HistoryState.imports.length() > 0, rx.fragment(history_table(), history_pager()), no_imports()),
    )


def search() -> rx.Component:
    """Find an import by its file's name, once there are some."""
    control = search_field(
        "Find by file name",
        name="imports-search",
        value=HistoryState.listing.q,
        filling=HistoryState.filling,
        on_change=HistoryState.search_imports,
    )
    is_needed = (HistoryState.imports.length() > 0) | (HistoryState.listing.q != "") | HistoryState.loading
    found = rx.el.div(control, role="search", aria_label="Find imports", class_name="history-search")
    return rx.cond(is_needed, found)


def problem() -> rx.Component:
    """Why there is no history, and the way out."""
    return notice(
        rx.el.p(HistoryState.error),
        rx.el.div(button("Try again", on_click=HistoryState.reload), class_name="actions"),
        title="The imports cannot be shown",
        data_testid="imports-problem",
    )


def no_imports() -> rx.Component:
    """Instead of an empty table."""
    clear = button("Show all imports", on_click=HistoryState.clear_search)
    return rx.cond(
        HistoryState.loaded,
        rx.cond(
            HistoryState.listing.q,
            empty_state("No import matches", "No file that was imported here has this in its name.", clear),
            empty_state("No imports yet", "What you import appears here, with its result."),
        ),
        rx.el.div(class_name="card loading", aria_busy="true"),
    )


def history_table() -> rx.Component:
    """One line an import."""
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
                    job.unusual.length() > 0,
                    rx.el.div(
                        rx.foreach(job.unusual, lambda one: rx.el.span(one, class_name="chip")), class_name="chips"
                    ),
                ),
                class_name="history-file",
            ),
            class_name="lead",
        ),
        rx.el.td(
            rx.el.div(badge(job.status, tone=job.tone), undo_state(job), class_name="history-status"),
            data_label="Status",
        ),
        rx.el.td(job.total, class_name="right numeric", data_label="Rows"),
        rx.el.td(job.created, class_name="right numeric", data_label="Created"),
        rx.el.td(job.updated, class_name="right numeric", data_label="Updated"),
        rx.el.td(rejected(job), class_name="right numeric", data_label="Rejected"),
        rx.el.td(took(job), class_name="right numeric", data_label="Took"),
        rx.el.td(local_time(job.created_at), class_name="muted", data_label="Started"),
        data_testid="import-row",
        key=job.id,
    )


def undo_state(job: ImportView) -> rx.Component:
    """Whether it was taken back."""
    return rx.match(
        job.undo.status,
        ("undone", badge("undone", tone="neutral")),
        ("pending", badge("undoing", tone="busy")),
        rx.fragment(),
    )


def rejected(job: ImportView) -> rx.Component:
    """How many rows were rejected; they can be had as a file."""
    file = download_link(
        job.rejected,
        href=f"/api/jobs/{job.id}/rejects",
        aria_label=f"Download the {job.rejected} rejected rows of {job.filename}",
        title="Download the rejected rows",
        class_name="download",
    )
    return rx.cond(job.has_rejects, file, job.rejected)


def took(job: ImportView) -> rx.Component:
    """How long it took, and how fast that was."""
    return rx.el.div(
        rx.el.div(rx.cond(job.took, job.took, "—")),
        rx.cond(job.speed, rx.el.div(job.speed, class_name="hint")),
    )


def history_pager() -> rx.Component:
    """Older and newer imports, where one page does not hold them."""
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
