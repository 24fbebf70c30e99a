"""What every page shares in its head: the style sheet, the icon, the title."""

import reflex as rx

# Colours and what all pages share are in assets/app.css, what only imports need is beside it.
STYLESHEETS = ["/app.css", "/imports.css"]


def head() -> list[rx.Component]:
    """Elements for the head of every page."""
    return [
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.meta(name="color-scheme", content="light dark"),
    ]


def title(page: str) -> str:
    """The document title of a page."""
    return f"{page} · Product Importer"
