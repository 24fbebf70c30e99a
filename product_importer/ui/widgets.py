"""The small parts that pages are made of. Looks are in assets/app.css, under the class names used here."""

from typing import Any

import reflex as rx
from reflex_components_core.react_router import ReactRouterLink  # type: ignore[import-untyped]

# Options of JavaScript's Date.toLocaleString.
STYLE = "{dateStyle: 'medium', timeStyle: 'short'}"


def button(*children: Any, kind: str = "", **props: Any) -> rx.Component:
    """A button; `kind` is "", "primary", "quiet" or "danger"."""
    return rx.el.button(*children, type=props.pop("type", "button"), class_name=f"button {kind}", **props)


def link(*children: Any, to: Any, **props: Any) -> rx.Component:
    """A link to another page, followed without reloading."""
    return ReactRouterLink.create(*children, to=to, **props)


def field(label: str, control: rx.Component, *, name: str) -> rx.Component:
    """A control under its label; the control's id is `name`."""
    return rx.el.div(rx.el.label(label, html_for=name, class_name="label"), control, class_name="field")


def search_field(label: str, *, name: str, value: Any, on_change: Any, testid: str) -> rx.Component:
    """A text filter that waits for a pause in typing."""
    control = rx.el.input(
        id=name,
        type="search",
        auto_complete="off",
        spell_check=False,
        class_name="input",
        on_change=on_change,
        data_testid=testid,
    )
    return field(label, rx.debounce_input(control, value=value, debounce_timeout=250), name=name)


def badge(text: Any, *, tone: Any, **props: Any) -> rx.Component:
    """A word in a coloured pill; `tone` is "neutral", "busy", "good", "warning" or "bad"."""
    return rx.el.span(text, class_name="badge", data_tone=tone, **props)


def progress_bar(percent: Any, *, label: str, tone: Any = "busy", **props: Any) -> rx.Component:
    """A bar that fills from left to right; `percent` is 0 to 100."""
    return rx.el.div(
        rx.el.div(class_name="progress-fill", style={"width": f"{percent}%"}),
        role="progressbar",
        aria_label=label,
        aria_valuemin="0",
        aria_valuemax="100",
        aria_valuenow=percent,
        class_name="progress",
        data_tone=tone,
        **props,
    )


def figure(label: str, value: Any, *, testid: str, note: Any = None) -> rx.Component:
    """A number with its name; the number alone bears the test id."""
    return rx.el.div(
        rx.el.dt(label),
        rx.el.dd(rx.el.span(value, data_testid=testid), note if note is not None else ""),
        class_name="figure",
    )


def empty_state(title: Any, text: Any, *actions: rx.Component) -> rx.Component:
    """What stands where a list would be, and what to do about it."""
    return rx.el.div(
        rx.el.p(title, class_name="empty-title"),
        rx.el.p(text, class_name="muted"),
        *actions,
        class_name="empty",
    )


def pager(page: Any, pages: Any, *, previous: Any, following: Any, prefix: str = "page") -> rx.Component:
    """Back, where we are, forth."""
    return rx.el.nav(
        button("Previous", on_click=previous, disabled=page <= 1, data_testid=f"{prefix}-previous"),
        rx.el.span("Page ", page.to_string(), " of ", pages, class_name="muted numeric"),
        button("Next", on_click=following, disabled=page >= pages, data_testid=f"{prefix}-next"),
        aria_label="Pages",
        class_name="pager",
    )


def local_time(moment: Any) -> rx.Component:
    """An ISO 8601 time, written in the reader's own language and time zone."""
    text: rx.Var[str] = rx.Var(
        f"({moment} ? new Date({moment}).toLocaleString([], {STYLE}) : '')",
        _var_type=str,
        _var_data=moment._get_all_var_data(),
    )
    return rx.el.time(text, date_time=moment, class_name="numeric")
