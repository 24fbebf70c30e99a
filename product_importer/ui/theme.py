"""The head of every page: style sheets, icon, title."""

import reflex as rx

STYLESHEETS = ["/theme.css"]


def head() -> list[rx.Component]:
    """Return the elements of the head of every page."""
    return [
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.meta(name="color-scheme", content="light dark"),
        rx.el.script(src="/role.js"),
        rx.el.script(src="/broken.js"),
    ]


def title(page: str) -> str:
    """Return the document title of a page."""
    return f"{page} · Product Importer"
