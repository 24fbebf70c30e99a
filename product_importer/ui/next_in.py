"""How long it is until a moment, such as "in 5 min": the browser counts down by itself (assets/next_in.jsx)."""

from typing import Any

import reflex as rx


class NextIn(rx.Component):
    """The words, which change every second in the last minute."""

    library = "$/public/next_in.jsx"
    tag = "NextIn"

    moment: rx.Var[str]
    prefix: rx.Var[str]


def next_in(moment: Any, prefix: str = "") -> rx.Component:
    """Return the words for an ISO 8601 time, `prefix` before them; "any moment now" when it has passed."""
    return NextIn.create(moment=moment, prefix=prefix)
