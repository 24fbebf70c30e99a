"""The overview: the first page that people see."""

import reflex as rx

from product_importer.imports.pages.drafts.drop_zone import drop_zone, first_steps
from product_importer.overview.pages.attention_list import attention
from product_importer.overview.pages.charts import reasons, rows_per_day
from product_importer.overview.pages.overview_state import OverviewState
from product_importer.overview.pages.recent_imports import recent_imports
from product_importer.ui import routes, styles
from product_importer.ui.access_state import for_importers
from product_importer.ui.layout import page
from product_importer.ui.widgets import button_link, empty_state, link, loading, notice

TILES = (
    "grid grid-cols-3 gap-px overflow-hidden rounded-xl border border-line bg-line md:grid-cols-[1.6fr_1fr_1fr_1fr]"
)
TILE = "relative grid content-start gap-0.5 bg-raised px-4 py-3 hover:bg-sunken max-md:first:col-span-full"
# The whole tile leads there.
WHOLE_TILE = (
    "w-fit rounded-sm after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:-outline-offset-2 "
    "focus-visible:after:outline-2 focus-visible:after:outline-accent"
)
NUMBER = "text-2xl leading-8 font-semibold tracking-tight tabular-nums"
NOTE = "text-xs text-muted tabular-nums"
HALVES = "grid grid-cols-1 gap-5 *:grid-rows-[auto_1fr] md:grid-cols-[1.7fr_1fr]"


def overview_page() -> rx.Component:
    """Return the page that shows how the catalogue and its imports are doing."""
    return page(
        "Overview",
        rx.cond(OverviewState.error, outage()),
        rx.cond(
            OverviewState.loaded, rx.fragment(rx.cond(OverviewState.is_empty, first_start()), shown()), loading()
        ),
        current=routes.OVERVIEW,
        actions=for_importers(button_link("Import a file", to=routes.IMPORTS, kind="primary")),
    )


def outage() -> rx.Component:
    """Return why the numbers stand still."""
    return notice(
        rx.el.p(OverviewState.error), title="The overview is not up to date", data_testid="overview-problem"
    )


def first_start() -> rx.Component:
    """Return what fills an empty catalogue."""
    return for_importers(
        drop_zone(),
        first_steps(),
        instead=empty_state("No products yet", "They appear here when somebody has imported or added them."),
    )


def shown() -> rx.Component:
    """Return the numbers, what needs attention, the charts, and the newest imports."""
    return rx.fragment(
        tiles(),
        attention(),
        rx.el.div(rows_per_day(), reasons(), class_name=HALVES),
        recent_imports(),
    )


def tiles() -> rx.Component:
    """Return the most important numbers; each leads to what it counts, or says what it leads to."""
    return rx.el.ul(
        rx.el.li(
            rx.el.span("Products", class_name=styles.LABEL),
            tile_number(OverviewState.catalogue.total, routes.PRODUCTS, "Products: ", "overview-products"),
            rx.el.p(
                OverviewState.catalogue.active,
                rx.cond(OverviewState.catalogue.inactive, " · ", ""),
                note_link(OverviewState.catalogue.inactive, f"{routes.PRODUCTS}?active=false", "overview-inactive"),
                class_name=NOTE,
            ),
            class_name=TILE,
        ),
        rx.el.li(
            rx.el.span("Running", class_name=styles.LABEL),
            tile_number(
                OverviewState.running, of_status("processing"), "Running imports and actions: ", "overview-running"
            ),
            rx.el.span("imports and actions now", class_name=NOTE),
            note_link(OverviewState.waiting, of_status("pending"), "overview-waiting"),
            class_name=TILE,
        ),
        ended_today("Completed", OverviewState.completed, "completed"),
        ended_today("Failed", OverviewState.failed, "failed"),
        aria_label="Numbers",
        class_name=TILES,
    )


def note_link(words: rx.Var[str], address: str, testid: str) -> rx.Component:
    """Return how many there are of another kind, which leads to them; nothing where there are none."""
    to_them = link(words, to=address, class_name=f"{styles.TEXT_LINK} {NOTE} relative z-1 w-fit", data_testid=testid)
    return rx.cond(words, to_them)


def of_status(status: str) -> str:
    """Return the address of the imports and actions that have a status."""
    return f"{routes.IMPORTS}?status={status}"


def ended_today(title: str, value: rx.Var[str], status: str) -> rx.Component:
    """Return how many imports and actions ended like this today. They are not listed by day, so all are linked."""
    every = link(f"all {status}", to=of_status(status), class_name=f"{styles.TEXT_LINK} {NOTE} {WHOLE_TILE}")
    return rx.el.li(
        rx.el.span(title, class_name=styles.LABEL),
        rx.el.span(value, class_name=NUMBER, data_testid=f"overview-{status}"),
        rx.el.span("imports and actions today", class_name=NOTE),
        every,
        class_name=TILE,
    )


def tile_number(value: rx.Var[str], address: str, name: str, testid: str) -> rx.Component:
    """Return a number that leads to what it counts; screen readers hear what that is."""
    return link(
        rx.el.span(name, class_name="sr-only"),
        rx.el.span(value, data_testid=testid),
        to=address,
        class_name=f"{NUMBER} {WHOLE_TILE}",
    )
