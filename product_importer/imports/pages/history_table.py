"""The history table: one row for each import."""

import reflex as rx

from product_importer.imports.models import ImportStatus, UndoStatus
from product_importer.imports.pages.history_state import HistoryState
from product_importer.imports.pages.view_models import ImportView
from product_importer.ui import styles, tables
from product_importer.ui.formatting import DASH
from product_importer.ui.live import with_news
from product_importer.ui.widgets import (
    badge,
    button,
    choice,
    download_link,
    empty_state,
    link,
    loading,
    local_time,
    notice,
    pager,
    search_field,
)

COLUMNS = ("File", "Status", "Rows", "Created", "Updated", "Rejected", "Duration", "Uploaded")
STATUSES = (("", "All"), *((status.value, status.value.capitalize()) for status in ImportStatus))
IS_FILTERED = (HistoryState.listing.q != "") | (HistoryState.listing.status != "")
# The classes of an import of fixed rows, in the table and where each row is a card, by its depth.
INDENTED = ("md:pl-10", "md:pl-16", "md:pl-22")
INDENTED_CARDS = ("max-md:ml-4", "max-md:ml-8", "max-md:ml-12")
NUMERIC = ("Rows", "Created", "Updated", "Rejected", "Duration")
SEARCH = "flex flex-wrap gap-x-4 gap-y-2.5 max-md:w-full"
# A label beside its field.
BESIDE = (
    "grid grid-cols-[auto_minmax(0,1fr)] items-center gap-2.5 max-md:w-full max-md:grid-cols-[110px_minmax(0,1fr)]"
)
STATUS = "flex flex-wrap gap-x-1.5 gap-y-1 max-md:items-center max-md:justify-end md:flex-col md:items-start"
OUTCOME = "text-xs wrap-break-word text-muted max-md:text-right md:max-w-[220px]"


def history() -> rx.Component:
    """All imports, newest first."""
    return rx.cond(
        HistoryState.error,
        problem(),
        rx.cond(HistoryState.imports.length() > 0, rx.fragment(shown(), history_pager()), no_imports()),
    )


def search() -> rx.Component:
    """Search imports by file name and status, once there are some."""
    control = search_field(
        "Find by file name",
        name="imports-search",
        value=HistoryState.listing.q,
        filling=HistoryState.filling,
        on_change=HistoryState.search_imports,
        class_name=BESIDE,
    )
    status = choice(
        "Status",
        STATUSES,
        name="imports-status",
        value=HistoryState.listing.status,
        on_change=HistoryState.filter_status,
        class_name=BESIDE,
    )
    is_needed = (HistoryState.imports.length() > 0) | IS_FILTERED | HistoryState.loading
    return rx.cond(is_needed, rx.el.div(control, status, role="search", aria_label="Find imports", class_name=SEARCH))


def problem() -> rx.Component:
    """Why the history cannot be shown, and a button to try again."""
    return notice(
        rx.el.p(HistoryState.error),
        rx.el.div(button("Try again", on_click=HistoryState.reload), class_name=f"{styles.ACTIONS} mt-2.5"),
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
        loading(),
    )


def history_table() -> rx.Component:
    """The table of one page of imports."""
    rows = tables.body(rx.foreach(HistoryState.imports, history_row))
    return tables.table(tables.headings(*COLUMNS, numbers=NUMERIC), rows, is_busy=HistoryState.loading)


def shown() -> rx.Component:
    """The table, and how many imports are new."""
    return with_news(HistoryState, HistoryState.show_news, history_table())


def history_row(job: ImportView) -> rx.Component:
    """One import."""
    status = (badge(job.status, tone=job.tone), undo_state(job), outcome(job))
    return tables.row(
        tables.lead(file(job), class_name=f"md:min-w-[180px] {by_depth(job, *INDENTED)}"),
        tables.cell(rx.el.div(*status, class_name=STATUS), label="Status"),
        tables.number(job.total, label="Rows"),
        tables.number(done(job, job.created), label="Created"),
        tables.number(done(job, job.updated), label="Updated"),
        tables.number(rejected(job), label="Rejected"),
        tables.number(took(job), label="Duration"),
        tables.cell(uploaded(job), label="Uploaded", class_name="text-muted"),
        data_testid="import-row",
        data_depth=job.depth,
        class_name=by_depth(job, *INDENTED_CARDS),
        key=job.id,
    )


def file(job: ImportView) -> rx.Component:
    """The file's name, which leads to the import, and the options that were chosen for it."""
    chosen = rx.foreach(job.changed_options, lambda label: rx.el.span(label, class_name=styles.CHIP))
    return rx.el.div(
        link(job.filename, to=f"/imports/{job.id}", class_name=f"{styles.STRONG} py-0.5 hover:text-accent"),
        rx.cond(job.parent, parent(job)),
        rx.cond(job.changed_options.length() > 0, rx.el.div(chosen, class_name=styles.CHIPS)),
        class_name="grid justify-items-start gap-1",
    )


def by_depth(job: ImportView, *classes: str) -> rx.Var[str]:
    """One of `classes`, by how many forebears stand above an import of fixed rows; the last for all deeper ones."""
    return rx.match(job.depth, (0, ""), *enumerate(classes[:-1], 1), classes[-1])


def parent(job: ImportView) -> rx.Component:
    """A link to the import whose rejected rows this one imports again, which may be on another page."""
    return link(
        rx.icon("corner-down-right", size=16, aria_hidden="true"),
        f"fixes of {job.filename}",
        to=f"/imports/{job.parent}",
        data_testid="import-parent",
        class_name="inline-flex min-h-6 items-center gap-1 font-normal text-muted underline",
    )


def outcome(job: ImportView) -> rx.Component:
    """What the import has done, in words; how far it is while it runs."""
    words = rx.cond(job.is_running, f"{job.percent} %", job.result)
    return rx.cond(words, rx.el.span(words, class_name=OUTCOME, data_testid="import-outcome"))


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
        class_name=f"{styles.TEXT_LINK} min-w-6 text-right",
    )
    return rx.cond(job.has_rejects, file, job.rejected)


def took(job: ImportView) -> rx.Component:
    """The duration and the speed."""
    return rx.el.div(
        rx.el.div(rx.cond(job.took, job.took, "—")),
        rx.cond(job.speed, rx.el.div(job.speed, class_name=f"{styles.HINT} whitespace-nowrap")),
    )


def uploaded(job: ImportView) -> rx.Component:
    """When the file was uploaded, and who started the import."""
    return rx.el.div(
        rx.el.div(local_time(job.created_at)),
        rx.cond(
            job.started_by,
            rx.el.div("started by ", job.started_by, class_name=f"{styles.HINT} max-w-60 wrap-anywhere"),
        ),
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
