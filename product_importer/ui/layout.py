"""The frame around every page: the bar at the top and the column below it."""

from typing import Any

import reflex as rx

from product_importer.ui import activity_state, routes, styles
from product_importer.ui.access_state import AccessState
from product_importer.ui.connection.banner import connection_banner
from product_importer.ui.content import Content
from product_importer.ui.modal import DIALOG
from product_importer.ui.palette.keyboard import keyboard, palette_button, shortcut
from product_importer.ui.person_menu import person_menu
from product_importer.ui.unsaved import question
from product_importer.ui.widgets import button_link, empty_state, link

COLUMN = "mx-auto w-full max-w-[1160px] px-6 max-md:px-4"
# In narrow windows the navigation has a line of its own.
BAR = "flex h-[52px] items-center gap-7 max-md:h-auto max-md:flex-wrap max-md:gap-x-2 max-md:gap-y-0.5 max-md:py-1.5"
PAGE_HEADER = "flex min-h-[34px] items-center justify-between gap-4 max-md:flex-wrap"
SKIP = "absolute top-2.5 left-4 z-20 bg-raised px-3 py-1.5 not-focus:sr-only"
ENTRY = (
    "rounded-md px-2.5 py-[5px] font-medium text-muted hover:bg-sunken hover:text-ink aria-[current=page]:bg-sunken "
    "aria-[current=page]:text-ink max-md:px-[7px]"
)
OPEN_TO_ALL = "fixed inset-x-0 bottom-0 z-10 border-t border-line bg-warning-soft px-6 py-2 text-center text-warning"


def page(heading: Any, *content: rx.Component, current: str, actions: rx.Component | None = None) -> rx.Component:
    """Return a whole page. `current` is the route whose entry in the navigation is marked."""
    return rx.el.div(
        _top_bar(current),
        Content.create(
            rx.el.header(
                rx.el.h1(heading, tab_index=-1, class_name=styles.TITLE),
                actions or rx.fragment(),
                class_name=PAGE_HEADER,
            ),
            *content,
            id="content",
            tab_index=-1,
            class_name=f"{COLUMN} grid grid-cols-1 gap-5 pt-7 pb-16 focus:outline-none max-md:gap-4 max-md:pt-5",
        ),
        _open_to_all(),
        activity_state.announcements(),
        connection_banner(),
        keyboard(),
        question(DIALOG),
    )


def section(title: str, *content: rx.Component, actions: rx.Component | None = None) -> rx.Component:
    """Return a part of a page with a title; `actions` stand beside it."""
    heading = rx.el.header(
        rx.el.h2(title, tab_index=-1, class_name="font-semibold"),
        actions or rx.fragment(),
        class_name="flex flex-wrap items-center justify-between gap-x-4 gap-y-2",
    )
    return rx.el.section(heading, *content, aria_label=title, class_name="mt-2 grid grid-cols-1 gap-2.5")


def not_found() -> rx.Component:
    """Return the page for an address that does not exist."""
    return page(
        "Page not found",
        empty_state(
            "There is nothing at this address",
            "It may be mistyped, or what it showed was deleted.",
            button_link("Go to the overview", to=routes.OVERVIEW, kind="primary"),
        ),
        current="",
    )


def _top_bar(current: str) -> rx.Component:
    return rx.el.header(
        _skip_link(),
        rx.el.div(
            _brand(),
            _navigation(current),
            palette_button(),
            person_menu(),
            _colour_toggle(),
            class_name=f"{COLUMN} {BAR}",
        ),
        class_name="sticky top-0 z-10 border-b border-line bg-ground",
    )


def _skip_link() -> rx.Component:
    """Return the link past the navigation. It leaves the address alone: that has the filters of the page."""
    return rx.el.a(
        "Skip to content",
        href="#content",
        on_click=rx.call_script("document.getElementById('content').focus()").prevent_default,
        class_name=SKIP,
    )


def _open_to_all() -> rx.Component:
    """Return the warning of an application that everybody may use; it moves nothing when it appears."""
    return rx.cond(
        AccessState.is_open_to_all,
        rx.el.p(
            rx.el.span("Anyone who reaches this page can change everything. ", class_name="font-semibold"),
            "Sign-in is off: the setting is AUTH.",
            role="status",
            class_name=OPEN_TO_ALL,
            data_testid="open-to-all",
        ),
    )


def _brand() -> rx.Component:
    return link(
        rx.el.img(src="/favicon.svg", alt="", width="22", height="22", class_name="size-[22px] max-w-none flex-none"),
        "Product Importer",
        to=routes.OVERVIEW,
        class_name="flex min-h-6 items-center gap-2.5 rounded-md font-semibold whitespace-nowrap max-md:mr-auto",
    )


def _navigation(current: str) -> rx.Component:
    return rx.el.nav(
        *(_navigation_link(name, route, current=route == current) for name, route in routes.NAVIGATION),
        aria_label="Main",
        class_name="flex flex-1 gap-1 max-md:order-last max-md:-mx-2 max-md:basis-full max-md:gap-0.5 "
        "max-md:overflow-x-auto max-md:p-0.5",
    )


def _navigation_link(name: str, route: str, *, current: bool) -> rx.Component:
    note = activity_state.navigation_note() if route == routes.IMPORTS else rx.fragment()
    return link(name, note, to=route, class_name=ENTRY, aria_current="page" if current else "false")


def _colour_toggle() -> rx.Component:
    return rx.el.button(
        rx.icon("sun-moon", size=16, class_name="text-muted"),
        type="button",
        on_click=rx.toggle_color_mode,
        aria_label="Switch between light and dark",
        title="Switch between light and dark",
        custom_attrs=shortcut("theme"),
        class_name="grid size-8 flex-none cursor-pointer place-items-center rounded-md hover:bg-sunken",
    )
