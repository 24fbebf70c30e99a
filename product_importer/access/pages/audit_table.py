"""The table of the record. Names come from everybody: they are shown as text, never as HTML."""

import reflex as rx

from product_importer.access.pages.audit_state import AuditState
from product_importer.access.pages.audit_view_models import ChangeView, EntryView, FactView
from product_importer.ui import styles, tables
from product_importer.ui.differences import comparison, differences
from product_importer.ui.widgets import button, button_link, local_time

COLUMNS = ("Action", "On", "Who", "Address", "When")


def audit_table() -> rx.Component:
    """The entries of this page, newest first."""
    return tables.table(
        tables.headings(*COLUMNS, has_actions=True),
        # A `tbody` for each entry: its row, and below it its details, when they are opened.
        rx.foreach(AuditState.entries, entry_body),
        is_busy=AuditState.loading,
        data_testid="audit-table",
    )


def entry_body(entry: EntryView) -> rx.Component:
    """One entry: its row, and its details when they are opened."""
    return tables.body(entry_row(entry), rx.cond(AuditState.opened == entry.id, details_row(entry)), key=entry.id)


def entry_row(entry: EntryView) -> rx.Component:
    """The row of one entry."""
    address = rx.cond(entry.address, entry.address, "—")
    return tables.row(
        tables.lead(entry.action, class_name=styles.STRONG),
        tables.cell(subject(entry), label="On", class_name="md:max-w-[300px]"),
        tables.cell(actor(entry), label="Who", class_name="md:max-w-[300px]"),
        tables.cell(address, label="Address", class_name="text-muted tabular-nums"),
        tables.cell(local_time(entry.at), label="When", class_name=tables.TIME),
        tables.actions(details_button(entry)),
        data_testid="audit-row",
    )


def subject(entry: EntryView) -> rx.Component:
    """What something was done to."""
    return rx.cond(entry.object, rx.el.div(entry.object, class_name=styles.CLAMP, title=entry.object), "—")


def actor(entry: EntryView) -> rx.Component:
    """Who it was: a name, and what kind of name that is unless it is a person's."""
    note = rx.cond(entry.actor_note, rx.el.div(entry.actor_note, class_name=styles.HINT))
    return rx.el.div(rx.el.div(entry.actor), note, class_name="min-w-0 wrap-anywhere")


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
    return tables.details(
        rx.cond(entry.changes.length() > 0, changes(entry)),
        rx.cond(entry.facts.length() > 0, rx.el.dl(rx.foreach(entry.facts, fact), class_name="grid gap-1")),
        object_links(entry),
        columns=len(COLUMNS) + 1,
        data_testid="audit-entry",
    )


def changes(entry: EntryView) -> rx.Component:
    """The fields before and after."""
    return differences(("Field", "Before", "After"), rx.foreach(entry.changes, change_row))


def change_row(change: ChangeView) -> rx.Component:
    """One field before and after."""
    return comparison(change.name, ("Before", change.before), ("After", change.after), data_testid="audit-change")


def fact(shown: FactView) -> rx.Component:
    """One further detail."""
    return rx.el.div(
        rx.el.dt(shown.name, class_name=f"{styles.LABEL} leading-[21px]"),
        rx.el.dd(shown.value, class_name="wrap-anywhere"),
        class_name=styles.FACT,
    )


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
            rx.cond(entry.object_address, button_link("Open it", to=entry.object_address, kind="quiet")),
            class_name="mt-1.5 -ml-2 flex flex-wrap gap-2",
        ),
        rx.cond(
            (entry.changes.length() == 0) & (entry.facts.length() == 0),
            rx.el.p("There are no details.", class_name="text-muted"),
        ),
    )
