"""The frame around every page: the bar at the top and the column below it."""

from typing import Any

import reflex as rx

from product_importer.ui import routes
from product_importer.ui.access_state import AccessState
from product_importer.ui.content import Content
from product_importer.ui.person_menu import person_menu
from product_importer.ui.widgets import empty_state, link


def page(heading: Any, *content: rx.Component, current: str, actions: rx.Component | None = None) -> rx.Component:
    """Return a whole page. `current` is the route whose entry in the navigation is marked."""
    return rx.el.div(
        _top_bar(current),
        Content.create(
            rx.el.header(rx.el.h1(heading), actions or rx.fragment(), class_name="page-header"),
            *content,
            id="content",
            tab_index=-1,
            class_name="column",
        ),
        _open_to_all(),
    )


def section(title: str, *content: rx.Component, actions: rx.Component | None = None) -> rx.Component:
    """Return a part of a page with a title; `actions` stand beside it."""
    heading = rx.el.header(rx.el.h2(title), actions or rx.fragment(), class_name="section-header")
    return rx.el.section(heading, *content, aria_label=title, class_name="section")


def not_found() -> rx.Component:
    """Return the page for an address that does not exist."""
    return page(
        "Page not found",
        empty_state(
            "There is nothing at this address",
            "It may be mistyped, or what it showed was deleted.",
            link("Go to the products", to=routes.PRODUCTS, class_name="button primary"),
        ),
        current="",
    )


def _top_bar(current: str) -> rx.Component:
    return rx.el.header(
        rx.el.a("Skip to content", href="#content", class_name="skip"),
        rx.el.div(_brand(), _navigation(current), person_menu(), _colour_toggle(), class_name="top-bar-inner"),
        class_name="top-bar",
    )


def _open_to_all() -> rx.Component:
    """Return the warning of an application that everybody may use; it moves nothing when it appears."""
    return rx.cond(
        AccessState.is_open_to_all,
        rx.el.p(
            rx.el.span("Anyone who reaches this page can change everything. ", class_name="strong"),
            "Sign-in is off: the setting is AUTH.",
            role="status",
            class_name="open-to-all",
            data_testid="open-to-all",
        ),
    )


def _brand() -> rx.Component:
    return link(
        rx.el.img(src="/favicon.svg", alt="", width="22", height="22"),
        rx.el.span("Product Importer", class_name="brand-name"),
        to=routes.PRODUCTS,
        aria_label="Product Importer",
        class_name="brand",
    )


def _navigation(current: str) -> rx.Component:
    return rx.el.nav(
        *(_navigation_link(name, route, current=route == current) for name, route in routes.NAVIGATION),
        aria_label="Main",
        class_name="navigation",
    )


def _navigation_link(name: str, route: str, *, current: bool) -> rx.Component:
    return link(name, to=route, class_name="entry", aria_current="page" if current else "false")


def _colour_toggle() -> rx.Component:
    return rx.el.button(
        rx.el.span(class_name="colour-icon", aria_hidden="true"),
        type="button",
        on_click=rx.toggle_color_mode,
        aria_label="Switch between light and dark",
        title="Switch between light and dark",
        class_name="colour-toggle",
    )
