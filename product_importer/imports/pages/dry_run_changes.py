"""The table of what a dry run would change: products with their fields before and after."""

import reflex as rx

from product_importer.imports.error_codes import ChangeOutcome
from product_importer.imports.pages.change_view_models import ChangeView, DifferenceView
from product_importer.imports.pages.dry_run_state import DryRunState
from product_importer.ui.widgets import badge, button, choice, empty_state, link, notice, pager

OUTCOMES = (
    ("", "All changes"),
    (ChangeOutcome.CREATED.value, "Created only"),
    (ChangeOutcome.UPDATED.value, "Updated only"),
)


def dry_run_changes(import_id: rx.Var[str]) -> rx.Component:
    """The changes, with a filter and a pager."""
    return rx.el.div(
        rx.el.div(
            choice(
                "Show",
                OUTCOMES,
                name="changes-filter",
                value=DryRunState.outcome,
                on_change=DryRunState.filter_outcome,
            ),
            rx.cond(DryRunState.loaded, rx.el.p(DryRunState.total, class_name="muted", role="status")),
            class_name="delivery-bar",
        ),
        rx.cond(DryRunState.error, loading_error(), changes()),
        on_mount=DryRunState.open_changes(import_id),
        class_name="stack",
        data_testid="import-changes",
    )


def loading_error() -> rx.Component:
    """Why the changes cannot be shown, and a button to try again."""
    return notice(
        rx.el.p(DryRunState.error),
        rx.el.div(
            button("Try again", on_click=DryRunState.turn_changes(DryRunState.list_page)), class_name="actions"
        ),
        title="The changes cannot be shown",
    )


def changes() -> rx.Component:
    """The table, or a message where it would be empty."""
    return rx.cond(
        DryRunState.changes.length() > 0,
        rx.fragment(changes_table(), changes_pager()),
        rx.cond(
            DryRunState.loaded,
            empty_state("No changes", "No row of the file would make a change of this kind."),
            rx.el.div(class_name="card loading", aria_busy="true"),
        ),
    )


def changes_table() -> rx.Component:
    """One row for each product, in the order of the file's lines."""
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th("Line", scope="col", class_name="right"),
                    rx.el.th("SKU", scope="col"),
                    rx.el.th("Outcome", scope="col"),
                    rx.el.th("What would change", scope="col"),
                )
            ),
            rx.el.tbody(rx.foreach(DryRunState.changes, change_row)),
            class_name="table cards changes",
        ),
        aria_busy=rx.cond(DryRunState.loading, "true", "false"),
        class_name="table-box",
    )


def change_row(change: ChangeView) -> rx.Component:
    """One product."""
    return rx.el.tr(
        rx.el.td(change.line, class_name="right numeric muted", data_label="Line"),
        rx.el.td(
            rx.cond(change.address, link(change.sku, to=change.address, class_name="download"), change.sku),
            class_name="lead mono",
        ),
        rx.el.td(
            rx.el.div(
                badge(change.outcome, tone=change.tone),
                rx.cond(change.is_outdated, badge("changed since", tone="warning", title=OUTDATED)),
                class_name="history-status",
            ),
            data_label="Outcome",
        ),
        rx.el.td(
            rx.cond(
                change.differences.length() > 0,
                rx.el.dl(rx.foreach(change.differences, difference), class_name="fields"),
                rx.el.span("Nothing: the product has these values now.", class_name="muted"),
            ),
            class_name="wide",
        ),
        data_testid="change-row",
        key=change.line,
    )


OUTDATED = "This product was changed since the dry run"


def difference(field: DifferenceView) -> rx.Component:
    """One field: the old value struck through after a minus, the new one after a plus."""
    return rx.el.div(
        rx.el.dt(field.label, class_name="label"),
        rx.el.dd(
            rx.cond(field.is_removed, rx.el.del_(value_or_blank(field.before))),
            rx.cond(field.is_added, rx.el.ins(value_or_blank(field.after))),
        ),
    )


def value_or_blank(value: rx.Var[str]) -> rx.Component:
    """A value, or the word blank."""
    return rx.cond(value, value, rx.el.em("blank"))


def changes_pager() -> rx.Component:
    """Buttons to turn the pages."""
    page = DryRunState.list_page
    return rx.cond(
        DryRunState.pages > 1,
        pager(
            page,
            DryRunState.pages,
            first=DryRunState.turn_changes(1),
            previous=DryRunState.turn_changes(page - 1),
            following=DryRunState.turn_changes(page + 1),
            last=DryRunState.turn_changes(DryRunState.pages),
            prefix="changes",
        ),
    )
