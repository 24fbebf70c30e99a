"""Why rows were rejected: the reasons with their counts, and the first rows with the wrong cells marked."""

import reflex as rx

from product_importer.imports.pages.rejection_views import CellView, ReasonView, RejectionView
from product_importer.imports.pages.rejections_state import RejectionsState
from product_importer.ui.widgets import button, notice


def rejections(import_id: rx.Var[str]) -> rx.Component:
    """The reasons, then the first rows."""
    return rx.el.div(
        rx.cond(
            RejectionsState.error,
            problem(),
            rx.cond(RejectionsState.loaded, loaded(), rx.el.div(class_name="card loading", aria_busy="true")),
        ),
        on_mount=RejectionsState.open_rejections(import_id),
        class_name="stack",
        data_testid="import-rejections",
    )


def problem() -> rx.Component:
    """Why the rejected rows cannot be shown, and a button to try again."""
    return notice(
        rx.el.p(RejectionsState.error),
        rx.el.div(button("Try again", on_click=RejectionsState.load_rejections), class_name="actions"),
        title="The rejected rows cannot be shown",
    )


def loaded() -> rx.Component:
    """The lists."""
    return rx.fragment(
        rx.el.ul(rx.foreach(RejectionsState.reasons, reason), class_name="reasons"),
        rx.cond(RejectionsState.counted_only, rx.el.p(RejectionsState.counted_only, class_name="hint")),
        rows_table(),
        rx.cond(RejectionsState.more_rows, rx.el.p(RejectionsState.more_rows, class_name="hint")),
    )


def reason(shown: ReasonView) -> rx.Component:
    """One reason: what is wrong, in how many rows, and where."""
    return rx.el.li(
        rx.el.span(shown.count, class_name="badge", data_tone="warning"),
        rx.el.span(shown.title, class_name="strong"),
        rx.el.span(shown.lines, class_name="muted numeric"),
        class_name="reason",
        data_testid="rejection-reason",
    )


def rows_table() -> rx.Component:
    """The first rejected rows."""
    heads = rx.foreach(RejectionsState.columns, lambda name: rx.el.th(name, scope="col"))
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(rx.el.th("Line", scope="col", class_name="right"), heads, rx.el.th("Reason", scope="col"))
            ),
            rx.el.tbody(rx.foreach(RejectionsState.rows, row)),
            class_name="table cards rejections",
        ),
        tab_index=0,
        role="region",
        aria_label="The first rejected rows",
        class_name="table-box",
    )


def row(shown: RejectionView) -> rx.Component:
    """One rejected row."""
    return rx.el.tr(
        rx.el.td(shown.line, class_name="right numeric muted", data_label="Line"),
        rx.foreach(shown.cells, cell),
        rx.el.td(shown.reason, class_name="wide", data_label="Reason"),
        data_testid="rejected-row",
        key=shown.line,
    )


def cell(shown: CellView) -> rx.Component:
    """One cell; a wrong one has a sign and a word, so that it does not depend on its colour."""
    text = rx.cond(shown.text, shown.text, rx.el.em("blank", class_name="muted"))
    wrong = rx.el.span(rx.el.span("!", class_name="wrong-sign", aria_hidden="true"), "wrong", class_name="wrong-word")
    return rx.el.td(
        rx.el.div(rx.cond(shown.is_wrong, wrong), rx.el.span(text), class_name="cell"),
        data_label=shown.label,
        data_wrong=rx.cond(shown.is_wrong, "true", "false"),
    )
