"""The table of the record. Names come from everybody: they are shown as text, never as HTML."""

import reflex as rx

from product_importer.access.pages.audit_state import AuditState
from product_importer.access.pages.audit_view_models import ChangeView, EntryView, FactView
from product_importer.ui.widgets import button, link, local_time

COLUMNS = ("Action", "On", "Who", "Address", "When")


def audit_table() -> rx.Component:
    """The entries of this page, newest first."""
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    *(rx.el.th(name, scope="col") for name in COLUMNS),
                    rx.el.th(rx.el.span("Actions", class_name="unseen"), scope="col"),
                )
            ),
            # A `tbody` for each entry: its row, and below it its details, when they are opened.
            rx.foreach(AuditState.entries, entry_body),
            class_name="table cards audit",
            data_testid="audit-table",
        ),
        aria_busy=rx.cond(AuditState.loading, "true", "false"),
        class_name="table-box",
    )


def entry_body(entry: EntryView) -> rx.Component:
    """One entry: its row, and its details when they are opened."""
    return rx.el.tbody(entry_row(entry), rx.cond(AuditState.opened == entry.id, details_row(entry)), key=entry.id)


def entry_row(entry: EntryView) -> rx.Component:
    """The row of one entry."""
    return rx.el.tr(
        rx.el.td(rx.el.div(entry.action, class_name="strong"), class_name="lead"),
        rx.el.td(subject(entry), class_name="wide", data_label="On"),
        rx.el.td(actor(entry), class_name="wide", data_label="Who"),
        rx.el.td(rx.cond(entry.address, entry.address, "—"), class_name="muted numeric", data_label="Address"),
        rx.el.td(local_time(entry.at), class_name="muted", data_label="When"),
        rx.el.td(details_button(entry), class_name="row-actions"),
        data_testid="audit-row",
    )


def subject(entry: EntryView) -> rx.Component:
    """What something was done to."""
    return rx.cond(entry.object, rx.el.div(entry.object, class_name="clamp", title=entry.object), "—")


def actor(entry: EntryView) -> rx.Component:
    """Who it was: a name, and what kind of name that is unless it is a person's."""
    note = rx.cond(entry.actor_note, rx.el.div(entry.actor_note, class_name="hint"))
    return rx.el.div(rx.el.div(entry.actor), note, class_name="answer")


def details_button(entry: EntryView) -> rx.Component:
    """The button that shows the details of an entry."""
    is_open = AuditState.opened == entry.id
    return button(
        rx.cond(is_open, "Close", "Details"),
        kind="quiet",
        on_click=AuditState.toggle_details(entry.id),
        aria_expanded=rx.cond(is_open, "true", "false"),
        aria_label=f"Details of {entry.action} {entry.object}",
        data_testid="audit-details",
    )


def details_row(entry: EntryView) -> rx.Component:
    """What was changed, further details, and what else there is of the object."""
    return rx.el.tr(
        rx.el.td(
            rx.cond(entry.changes.length() > 0, changes(entry)),
            rx.cond(
                entry.facts.length() > 0,
                rx.el.dl(rx.foreach(entry.facts, fact), class_name="details audit-facts"),
            ),
            object_links(entry),
            col_span=len(COLUMNS) + 1,
        ),
        class_name="attempts-row",
        data_testid="audit-entry",
    )


def changes(entry: EntryView) -> rx.Component:
    """The fields before and after."""
    return rx.el.table(
        rx.el.thead(rx.el.tr(*(rx.el.th(title, scope="col") for title in ("Field", "Before", "After")))),
        rx.el.tbody(rx.foreach(entry.changes, change_row)),
        class_name="differences audit-changes",
    )


def change_row(change: ChangeView) -> rx.Component:
    """One field before and after."""
    return rx.el.tr(
        rx.el.th(change.name, scope="row"),
        rx.el.td(rx.el.span(change.before), data_label="Before"),
        rx.el.td(rx.el.span(change.after), data_label="After"),
        data_testid="audit-change",
    )


def fact(shown: FactView) -> rx.Component:
    """One further detail."""
    return rx.el.div(rx.el.dt(shown.name, class_name="label"), rx.el.dd(shown.value))


def object_links(entry: EntryView) -> rx.Component:
    """The object's page, and all entries about it."""
    all_entries = button(
        "All entries about it",
        kind="quiet",
        on_click=AuditState.filter_object(entry.object_id),
        data_testid="audit-filter-object",
    )
    return rx.cond(
        entry.object_id,
        rx.el.div(
            all_entries,
            rx.cond(entry.object_address, link("Open it", to=entry.object_address, class_name="button quiet")),
            class_name="actions audit-links",
        ),
        rx.cond(
            (entry.changes.length() == 0) & (entry.facts.length() == 0),
            rx.el.p("There are no details.", class_name="muted"),
        ),
    )
