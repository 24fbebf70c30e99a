"""The small components that pages are made of. Their looks are in styles.py."""

from collections.abc import Iterable
from typing import Any

import reflex as rx
from reflex_components_core.el.elements.inline import A  # type: ignore[import-untyped]
from reflex_components_core.react_router import ReactRouterLink  # type: ignore[import-untyped]

from product_importer.ui import styles

# Options of JavaScript's Date.toLocaleString.
DATE_AND_TIME = "{dateStyle: 'medium', timeStyle: 'short'}"
DATE = "{dateStyle: 'medium'}"

# How long typing must pause before the server is asked.
DEBOUNCE_MS = 250


def button(*children: Any, kind: str = "", **props: Any) -> rx.Component:
    """Return a button; `kind` is "", "primary", "danger", "quiet" or "quiet bad"."""
    return rx.el.button(*children, type=props.pop("type", "button"), class_name=styles.button_look(kind), **props)


def busy_button(label: Any, busy_label: str, *, is_busy: Any, **props: Any) -> rx.Component:
    """Return a button that shows another label while its action runs; its handler takes no second click then.

    It is not `disabled` meanwhile, because it would lose the focus.
    """
    return button(
        rx.cond(is_busy, busy_label, label),
        aria_disabled=rx.cond(is_busy, "true", "false"),
        aria_busy=rx.cond(is_busy, "true", "false"),
        **props,
    )


def link(*children: Any, to: Any, **props: Any) -> rx.Component:
    """Return a link to another page of the application, followed without reloading."""
    return ReactRouterLink.create(*children, to=to, **props)


def button_link(*children: Any, to: Any, kind: str = "", **props: Any) -> rx.Component:
    """Return such a link that looks like a button of this kind."""
    return link(*children, to=to, class_name=styles.button_look(kind), **props)


def download_link(*children: Any, href: Any, **props: Any) -> rx.Component:
    """Return a link to a file. `rx.el.a` would treat it as a page of the application, which does not exist."""
    return A.create(*children, href=href, download=True, **props)


def field(label: str, control: rx.Component, *, name: str, class_name: str = styles.FIELD) -> rx.Component:
    """Return a control under its label. `name` is the control's id."""
    return rx.el.div(rx.el.label(label, html_for=name, class_name=styles.LABEL), control, class_name=class_name)


def search_field(
    label: str, *, name: str, value: Any, filling: Any, on_change: Any, class_name: str = styles.FIELD, **props: Any
) -> rx.Component:
    """Return a text filter under its label."""
    control = search_input(name=name, value=value, filling=filling, on_change=on_change, **props)
    return field(label, control, name=name, class_name=class_name)


def search_input(*, name: str, value: Any, filling: Any, on_change: Any, **props: Any) -> rx.Component:
    """Return a text input that waits for a pause in typing; `name` is its id and test id.

    The browser alone holds what is typed, so that no late answer can undo it. `value` replaces it when `filling`
    changes.
    """
    return rx.el.input(
        id=name,
        key=f"{name}-{filling}",
        type="search",
        default_value=value,
        auto_complete="off",
        spell_check=False,
        class_name=props.pop("class_name", styles.INPUT),
        on_change=on_change.debounce(DEBOUNCE_MS),
        data_testid=name,
        **props,
    )


def choice(
    label: str,
    options: Iterable[tuple[str, str]],
    *,
    name: str,
    value: Any,
    on_change: Any,
    class_name: str = styles.FIELD,
) -> rx.Component:
    """Return a select field with its label. `options` are pairs of value and text; `name` is its id and test id."""
    control = rx.el.select(
        *(rx.el.option(text, value=option) for option, text in options),
        id=name,
        value=value,
        on_change=on_change,
        class_name=styles.INPUT,
        data_testid=name,
    )
    return field(label, control, name=name, class_name=class_name)


def notice(*content: Any, title: Any = "", tone: str = "bad", **props: Any) -> rx.Component:
    """Return a box with something to know now; `tone` is "bad" or "warning".

    A screen reader reads it at once, unless `role` says otherwise.
    """
    role = props.pop("role", "alert")
    return rx.el.div(
        rx.fragment() if isinstance(title, str) and not title else _notice_title(title, tone),
        *content,
        role=role,
        class_name=styles.NOTICE,
        data_tone=tone,
        **props,
    )


def _notice_title(title: Any, tone: Any) -> rx.Component:
    signs = (rx.icon(name, size=16, class_name="mt-[3px] flex-none") for name in ("triangle-alert", "circle-alert"))
    return rx.el.p(rx.cond(tone == "warning", *signs), rx.el.span(title), class_name=styles.NOTICE_TITLE)


def error_notice(error: Any, *, title: str, testid: str) -> rx.Component:
    """Return a notice that says why something was not done; nothing while `error` is empty."""
    return rx.cond(error, notice(rx.el.p(error), title=title, data_testid=testid))


def badge(text: Any, *, tone: Any, **props: Any) -> rx.Component:
    """Return a word in a coloured pill; `tone` is "neutral", "busy", "good", "warning" or "bad"."""
    return rx.el.span(text, class_name=styles.BADGE, data_tone=tone, **props)


def progress_bar(percent: Any, *, label: str, tone: Any = "busy", **props: Any) -> rx.Component:
    """Return a bar that fills from left to right; `percent` is 0 to 100."""
    return rx.el.div(
        rx.el.div(class_name=styles.PROGRESS_FILL, style={"width": f"{percent}%"}),
        role="progressbar",
        aria_label=label,
        aria_valuemin="0",
        aria_valuemax="100",
        aria_valuenow=percent,
        class_name=styles.PROGRESS,
        data_tone=tone,
        **props,
    )


def empty_state(title: Any, text: Any, *actions: rx.Component) -> rx.Component:
    """Return what an empty list shows: a title, an explanation, and actions."""
    return rx.el.div(
        rx.icon("inbox", size=24, class_name="text-muted"),
        rx.el.p(title, class_name="font-semibold"),
        rx.el.p(text, class_name="max-w-[520px] text-pretty text-muted"),
        rx.el.div(*actions, class_name="mt-2.5 empty:hidden"),
        class_name=styles.EMPTY,
    )


def loading() -> rx.Component:
    """Return the placeholder of a list that is loading."""
    return rx.el.div(class_name=styles.LOADING, aria_busy="true", data_testid="loading")


def list_pager(state: Any, *, prefix: str) -> rx.Component:
    """Return the pager of a list of several pages; its state has `list_page`, `pages` and `turn_list`."""
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
    label: str = "Pages",
) -> rx.Component:
    """Return the buttons that turn pages, around the current page; First and Last only where handlers are given."""

    def turn(label: str, on_click: Any, disabled: Any) -> rx.Component:
        testid = f"{prefix}-{label.lower()}"
        if not on_click:
            return rx.fragment()
        # It is not `disabled` on the last page, because it would lose the focus that has led there.
        return button(
            label,
            on_click=rx.cond(disabled, rx.noop(), on_click),
            aria_disabled=rx.cond(disabled, "true", "false"),
            data_testid=testid,
        )

    is_last = page >= pages if has_next is None else ~has_next
    return rx.el.nav(
        turn("First", first, page <= 1),
        turn("Previous", previous, page <= 1),
        rx.el.span(
            "Page ",
            page.to_string(),
            " of ",
            about,
            pages,
            class_name="px-1.5 text-muted tabular-nums max-md:-order-1 max-md:basis-full max-md:text-center",
        ),
        turn("Next", following, is_last),
        turn("Last", last, is_last),
        aria_label=label,
        class_name="flex flex-wrap items-center justify-end gap-2 max-md:w-full max-md:justify-center",
    )


def local_time(moment: Any, style: str = DATE_AND_TIME) -> rx.Component:
    """Return an ISO 8601 time in the reader's language and time zone; hovering shows date and time."""
    return rx.el.time(
        _localized(moment, style),
        date_time=moment,
        title=_localized(moment, DATE_AND_TIME),
        class_name="tabular-nums",
    )


def _localized(moment: Any, style: str) -> rx.Var[str]:
    return rx.Var(
        f"({moment} ? new Date({moment}).toLocaleString([], {style}) : '')",
        _var_type=str,
        _var_data=moment._get_all_var_data(),
    )
