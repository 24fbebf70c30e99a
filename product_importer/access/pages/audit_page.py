"""The page of the record of who did what."""

import reflex as rx

from product_importer.access.pages.audit_labels import ACTIONS, KINDS
from product_importer.access.pages.audit_state import AuditState
from product_importer.access.pages.audit_table import audit_table
from product_importer.ui import routes, styles
from product_importer.ui.access_state import for_admins
from product_importer.ui.layout import page
from product_importer.ui.live import with_news
from product_importer.ui.widgets import (
    button,
    choice,
    download_link,
    empty_state,
    field,
    loading,
    notice,
    pager,
    search_field,
)

FILTERS = "grid grid-cols-2 gap-3 max-md:*:first:col-span-full md:grid-cols-[1.4fr_1.2fr_1fr_160px_160px]"


def audit_page() -> rx.Component:
    """Return the page on which administrators see who did what."""
    return page(
        "Record",
        for_admins(
            filters(),
            toolbar(),
            rx.cond(AuditState.error, list_error(), rx.fragment(listed(), record_pager())),
            instead=empty_state("Only administrators see the record", "It lists who did what."),
        ),
        current=routes.AUDIT,
        actions=for_admins(download()),
    )


def download() -> rx.Component:
    """Return the link to the listed entries as a file."""
    return download_link(
        "Download CSV",
        href=AuditState.export_address,
        class_name=styles.button_look(""),
        title="Download all pages of the listed entries",
        data_testid="audit-export",
    )


def filters() -> rx.Component:
    """Return the fields that filter the list."""
    listing = AuditState.listing
    return rx.el.div(
        search_field(
            "Who",
            name="filter-actor",
            value=listing.actor,
            filling=AuditState.filling,
            on_change=AuditState.filter_actor,
        ),
        choice(
            "Action",
            [("", "All"), *((str(action), name) for action, name in ACTIONS.items())],
            name="filter-action",
            value=listing.action,
            on_change=AuditState.filter_action,
        ),
        choice(
            "On",
            [("", "All"), *((str(kind), name) for kind, name in KINDS.items())],
            name="filter-kind",
            value=listing.object_kind,
            on_change=AuditState.filter_kind,
        ),
        day_field("From day (UTC)", "since", listing.since, AuditState.filter_since),
        day_field("To day (UTC)", "until", listing.until, AuditState.filter_until),
        role="search",
        aria_label="Filter the record",
        class_name=FILTERS,
    )


def day_field(label: str, name: str, value: rx.Var[str], on_change: rx.EventHandler) -> rx.Component:
    """Return a field for a day."""
    control = rx.el.input(
        id=f"filter-{name}",
        key=f"filter-{name}-{AuditState.filling}",
        type="date",
        default_value=value,
        on_change=on_change,
        class_name=styles.INPUT,
        data_testid=f"filter-{name}",
    )
    return field(label, control, name=f"filter-{name}")


def toolbar() -> rx.Component:
    """Return the number of entries, and what removes filters."""
    one_object = rx.cond(
        AuditState.listing.object_id,
        rx.el.span(
            "of ",
            rx.el.span(AuditState.listing.object_id, class_name=styles.MONO),
            class_name="wrap-anywhere text-muted",
            data_testid="audit-object",
        ),
    )
    return rx.el.div(
        rx.el.p(
            rx.el.span(AuditState.total, class_name=f"{styles.STRONG} tabular-nums", data_testid="audit-total"),
            rx.cond(AuditState.total == "1", " entry", " entries"),
            class_name="text-muted",
            role="status",
        ),
        one_object,
        rx.cond(
            AuditState.is_filtered,
            button("Clear filters", kind="quiet", on_click=AuditState.clear_filters, data_testid="filter-clear"),
        ),
        class_name=styles.COUNT,
    )


def list_error() -> rx.Component:
    """Return why the record cannot be shown, and a button to try again."""
    return notice(
        rx.el.p(AuditState.error),
        rx.el.div(button("Try again", on_click=AuditState.load_entries), class_name=f"{styles.ACTIONS} mt-2.5"),
        title="The record cannot be shown",
        data_testid="audit-problem",
    )


def listed() -> rx.Component:
    """Return the entries, or why there are none."""
    return rx.cond(
        AuditState.entries.length() > 0,
        with_news(AuditState, AuditState.show_news, audit_table()),
        rx.cond(AuditState.loaded, no_entries(), loading()),
    )


def no_entries() -> rx.Component:
    """Return what an empty list shows."""
    return rx.cond(
        AuditState.is_filtered,
        empty_state("No entry matches", "Clear a filter, or choose other days."),
        empty_state("Nothing is recorded yet", "Changes, imports, exports and sign-ins appear here."),
    )


def record_pager() -> rx.Component:
    """Return the buttons that turn pages, where there are several."""
    return rx.cond(
        AuditState.pages > 1,
        pager(
            AuditState.listing.page,
            AuditState.pages,
            previous=AuditState.turn_record(-1),
            following=AuditState.turn_record(1),
            prefix="audit",
        ),
    )
