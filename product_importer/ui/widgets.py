"""The small parts that pages are made of. Looks are in assets/app.css, under the class names used here."""

from collections.abc import Iterable
from typing import Any

import reflex as rx
from reflex_components_core.el.elements.inline import A  # type: ignore[import-untyped]
from reflex_components_core.react_router import ReactRouterLink  # type: ignore[import-untyped]

# Options of JavaScript's Date.toLocaleString.
STYLE = "{dateStyle: 'medium', timeStyle: 'short'}"
DAY = "{dateStyle: 'medium'}"

# In milliseconds.
PAUSE = 250


def button(*children: Any, kind: str = "", **props: Any) -> rx.Component:
    """A button; `kind` is "", "primary", "quiet" or "danger"."""
    return rx.el.button(*children, type=props.pop("type", "button"), class_name=f"button {kind}", **props)


def busy_button(label: Any, busy_label: str, *, is_busy: Any, disabled: Any = None, **props: Any) -> rx.Component:
    """A button that says what is under way, and takes no click meanwhile."""
    return button(
        rx.cond(is_busy, busy_label, label),
        disabled=is_busy if disabled is None else is_busy | disabled,
        aria_busy=rx.cond(is_busy, "true", "false"),
        **props,
    )


def link(*children: Any, to: Any, **props: Any) -> rx.Component:
    """A link to another page, followed without reloading."""
    return ReactRouterLink.create(*children, to=to, **props)


def download_link(*children: Any, href: Any, **props: Any) -> rx.Component:
    """A link to a file. `rx.el.a` would take it for one of our pages and show that there is none."""
    return A.create(*children, href=href, download=True, **props)


def field(label: str, control: rx.Component, *, name: str) -> rx.Component:
    """A control under its label; the control's id is `name`."""
    return rx.el.div(rx.el.label(label, html_for=name, class_name="label"), control, class_name="field")


def search_field(label: str, *, name: str, value: Any, filling: Any, on_change: Any) -> rx.Component:
    """A text filter that waits for a pause in typing.

    What is typed is the browser's alone, so that no late answer can undo it; `value` counts when `filling` changes.
    """
    control = rx.el.input(
        id=name,
        key=f"{name}-{filling}",
        type="search",
        default_value=value,
        auto_complete="off",
        spell_check=False,
        class_name="input",
        on_change=on_change.debounce(PAUSE),
        data_testid=name,
    )
    return field(label, control, name=name)


def choice(label: str, options: Iterable[tuple[str, str]], *, name: str, value: Any, on_change: Any) -> rx.Component:
    """One of several values, under its label; `options` are value and words, `name` is id and test id."""
    control = rx.el.select(
        *(rx.el.option(words, value=option) for option, words in options),
        id=name,
        value=value,
        on_change=on_change,
        class_name="input",
        data_testid=name,
    )
    return field(label, control, name=name)


def form_field(label: str, control: rx.Component, *, name: str, fault: Any) -> rx.Component:
    """A control of a form, and beside it what is wrong; the control says `aria_describedby=fault_id(name)`."""
    return rx.el.div(
        rx.el.label(rx.el.span(label, class_name="label"), control, class_name="field"),
        rx.el.p(fault, id=fault_id(name), aria_live="polite", class_name="fault", data_testid=f"{name}-fault"),
    )


def described(name: str, *, prefix: str, form: Any, faults: Any) -> dict[str, Any]:
    """What a text field of a form says of itself; `prefix` begins its test id, as it does that of `form_field`."""
    return {
        "name": name,
        "default_value": getattr(form, name),
        "class_name": "input",
        "auto_complete": "off",
        "aria_invalid": rx.cond(faults[name], "true", "false"),
        "aria_describedby": fault_id(f"{prefix}-{name}"),
        "data_testid": f"{prefix}-{name}",
    }


def fault_id(name: str) -> str:
    """The id of what is wrong with a control of a form."""
    return f"{name}-fault"


def notice(*content: Any, title: Any = "", tone: str = "bad", **props: Any) -> rx.Component:
    """Something to know now; `tone` is "bad" or "warning"."""
    heading = rx.fragment() if isinstance(title, str) and not title else rx.el.p(title, class_name="notice-title")
    return rx.el.div(heading, *content, role="alert", class_name="notice", data_tone=tone, **props)


def refusal(words: Any, *, title: str, testid: str) -> rx.Component:
    """Why something was not done; nothing where there are no words."""
    return rx.cond(words, notice(rx.el.p(words), title=title, data_testid=testid))


def switch(is_on: Any, *, label: Any, on_click: Any, is_busy: Any, **props: Any) -> rx.Component:
    """On or off, changed by a click."""
    return rx.el.button(
        type="button",
        role="switch",
        aria_checked=rx.cond(is_on, "true", "false"),
        aria_busy=rx.cond(is_busy, "true", "false"),
        aria_label=label,
        on_click=on_click,
        class_name="switch",
        **props,
    )


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


def figure(label: Any, value: Any, *, testid: str, note: Any = None) -> rx.Component:
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


def loading() -> rx.Component:
    """What stands where a list will be."""
    return rx.el.div(class_name="card loading", aria_busy="true")


def list_pager(state: Any, *, prefix: str) -> rx.Component:
    """The pager of a list whose state has `list_page`, `pages` and `turn_list`, where one page does not hold it."""
    shown = pager(
        state.list_page, state.pages, previous=state.turn_list(-1), following=state.turn_list(1), prefix=prefix
    )
    return rx.cond(state.pages > 1, shown)


def pager(
    page: Any,
    pages: Any,
    *,
    previous: Any,
    following: Any,
    has_next: Any = None,
    first: Any = None,
    last: Any = None,
    about: Any = "",
    prefix: str = "page",
) -> rx.Component:
    """Back, where we are, forth; to the first and the last page where these are given."""

    def turn(label: str, on_click: Any, disabled: Any) -> rx.Component:
        testid = f"{prefix}-{label.lower()}"
        return button(label, on_click=on_click, disabled=disabled, data_testid=testid) if on_click else rx.fragment()

    is_last = page >= pages if has_next is None else ~has_next
    return rx.el.nav(
        turn("First", first, page <= 1),
        turn("Previous", previous, page <= 1),
        rx.el.span("Page ", page.to_string(), " of ", about, pages, class_name="muted numeric"),
        turn("Next", following, is_last),
        turn("Last", last, is_last),
        aria_label="Pages",
        class_name="pager",
    )


def local_time(moment: Any, style: str = STYLE) -> rx.Component:
    """An ISO 8601 time, written in the reader's own language and time zone; in full where the mouse rests on it."""
    return rx.el.time(_written(moment, style), date_time=moment, title=_written(moment, STYLE), class_name="numeric")


def _written(moment: Any, style: str) -> rx.Var[str]:
    return rx.Var(
        f"({moment} ? new Date({moment}).toLocaleString([], {style}) : '')",
        _var_type=str,
        _var_data=moment._get_all_var_data(),
    )
