"""The grid of rows with what stands above it: counts as filters, and problems grouped by reason."""

import reflex as rx

from product_importer.imports.pages.check.check_state import CheckState
from product_importer.imports.pages.check.filter_view import FilterView, ReasonView
from product_importer.ui import styles
from product_importer.ui.access_state import AccessState, for_importers
from product_importer.ui.grid.component import data_grid
from product_importer.ui.widgets import button, empty_state, link, loading, notice, pager

GRID = "check-grid"
STORAGE_KEY = "import-columns"


def rows(import_id: rx.Var[str], *above: rx.Component) -> rx.Component:
    """The rows of an import; `above` stands over the problems."""
    return rx.el.div(
        rx.cond(CheckState.error, loading_error(), rx.cond(CheckState.loaded, parts(*above), loading())),
        rx.el.p(CheckState.said, role="status", class_name="sr-only", data_testid="check-said"),
        on_mount=CheckState.open_check(import_id),
        class_name="grid grid-cols-[minmax(0,1fr)] gap-4",
        data_testid="import-rows",
    )


def loading_error() -> rx.Component:
    """Why the rows cannot be shown, and a button to try again."""
    return notice(
        rx.el.p(CheckState.error),
        rx.el.div(
            button("Try again", on_click=[CheckState.load_rows, CheckState.load_summary]), class_name=styles.ACTIONS
        ),
        title="The rows cannot be shown",
    )


def parts(*above: rx.Component) -> rx.Component:
    """Everything, once it is loaded."""
    return rx.fragment(
        *above,
        rx.cond(CheckState.refusal.title, refusal()),
        for_importers(rx.cond(is_editable(), reasons())),
        filters(),
        rx.cond(CheckState.rows.length() > 0, grid(), nothing()),
    )


def is_editable() -> rx.Var[bool]:
    """Whether the rows can be edited: not by viewers, and not once they were imported again."""
    return AccessState.can_import & ~CheckState.linked.bool()


def refusal() -> rx.Component:
    """Why an edit was refused."""
    error = CheckState.refusal
    return notice(
        rx.el.p(error.detail),
        rx.cond(error.import_address, link("Show that import", to=error.import_address, class_name=styles.TEXT_LINK)),
        title=error.title,
        data_testid="check-refusal",
    )


def filters() -> rx.Component:
    """The counts; a pressed one shows its rows only."""
    return rx.el.div(
        rx.foreach(CheckState.filters, filter_button),
        role="group",
        aria_label="Show only these rows",
        class_name="flex flex-wrap gap-2",
        data_testid="check-filters",
    )


def filter_button(shown: FilterView) -> rx.Component:
    """One count."""
    is_chosen = CheckState.chosen == shown.name
    look = "min-h-7 cursor-pointer rounded-full border px-3 text-[13px] tabular-nums "
    return rx.el.button(
        shown.text,
        type="button",
        on_click=CheckState.filter_rows(shown.name),
        aria_pressed=rx.cond(is_chosen, "true", "false"),
        class_name=rx.cond(
            is_chosen,
            look + "border-accent bg-accent-soft font-semibold text-accent",
            look + "border-line-strong bg-raised text-ink hover:bg-sunken",
        ),
        data_testid=f"check-filter-{shown.name}",
    )


def reasons() -> rx.Component:
    """The problems, each with what can be done about all its rows."""
    return rx.el.ul(rx.foreach(CheckState.reasons, reason), class_name="grid list-none gap-2")


def reason(shown: ReasonView) -> rx.Component:
    """One problem."""
    return rx.el.li(
        rx.icon("triangle-alert", size=16, aria_hidden="true", class_name="shrink-0 text-bad"),
        rx.el.span(shown.title, class_name="font-semibold"),
        rx.el.span(shown.rows, class_name="text-muted tabular-nums"),
        rx.el.div(
            rx.cond(shown.column, set_all(shown)),
            button(
                "Skip these rows",
                on_click=CheckState.skip_all(shown.code),
                aria_label=f"Skip these rows: {shown.title}",
                data_testid="reason-skip",
            ),
            class_name="flex flex-wrap items-center gap-2 md:ml-auto",
        ),
        key=shown.code,
        class_name="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-lg border border-line bg-raised px-4 py-2",
        data_testid="check-reason",
        custom_attrs={"data-code": shown.code},
    )


def set_all(shown: ReasonView) -> rx.Component:
    """A value for the column that the problem is about, in all its rows."""
    return rx.el.form(
        rx.el.input(type="hidden", name="code", value=shown.code, read_only=True),
        rx.el.input(
            name="value",
            aria_label=f"{shown.column} for these rows: {shown.title}",
            placeholder=shown.column,
            auto_complete="off",
            class_name=f"{styles.INPUT} w-36!",
            data_testid="reason-value",
        ),
        button("Set all", type="submit", data_testid="reason-set"),
        on_submit=CheckState.set_all,
        class_name="flex items-center gap-2",
    )


def grid() -> rx.Component:
    """The rows, and the buttons that turn their pages."""
    page = CheckState.list_page
    return rx.fragment(
        data_grid(
            name=GRID,
            label="Rows of the file",
            columns=CheckState.columns,
            rows=CheckState.rows,
            changed=CheckState.changed,
            read_only=~is_editable(),
            storage_key=STORAGE_KEY,
            on_edit=CheckState.edit_cells,
            on_action=CheckState.act_on_row,
        ),
        for_importers(rx.cond(is_editable(), hint())),
        rx.cond(
            CheckState.pages > 1,
            pager(
                page,
                CheckState.pages,
                first=CheckState.turn_rows(1),
                previous=CheckState.turn_rows(page - 1),
                following=CheckState.turn_rows(page + 1),
                last=CheckState.turn_rows(CheckState.pages),
                prefix="check",
            ),
        ),
    )


def hint() -> rx.Component:
    """How cells are edited."""
    return rx.el.p(
        "Double-click a cell, or press Enter on it, to edit it. The uploaded file stays as it is. Which of several "
        "rows with one SKU is used is settled by the import.",
        class_name="text-[13px] text-muted",
    )


def nothing() -> rx.Component:
    """A message where the grid would be empty."""
    return empty_state("No rows", rx.cond(CheckState.chosen, "No row is of this kind.", "The file has no rows."))
