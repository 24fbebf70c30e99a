"""The head of every page: style sheets, icon, title."""

import reflex as rx

# app.css has the colours and what all pages share; the others what only their pages need.
STYLESHEETS = ["/theme.css", "/app.css", "/imports.css", "/audit.css"]


def head() -> list[rx.Component]:
    """Return the elements of the head of every page."""
    return [
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.meta(name="color-scheme", content="light dark"),
        rx.el.script(src="/role.js"),
    ]


def title(page: str) -> str:
    """Return the document title of a page."""
    return f"{page} · Product Importer"
