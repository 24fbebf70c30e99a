"""A dialog over the page: the browser's own, which keeps the focus inside, closes by Escape and gives focus back."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec, no_args_event_spec
from reflex_components_core.el.elements.other import Dialog  # type: ignore[import-untyped]

from product_importer.ui.widgets import button


class Modal(Dialog):
    """A `dialog` element that the state opens and closes.

    It opens after its content has been rendered, so that the part marked by `data-focus` can take the focus.
    """

    shown: rx.Var[bool]
    on_close: rx.EventHandler[no_args_event_spec]  # type: ignore[type-arg,valid-type]

    def _exclude_props(self) -> list[str]:
        return [*super()._exclude_props(), "shown"]

    def add_imports(self) -> dict[str, str]:
        """React's part in it."""
        return {"react": "useEffect"}

    def add_hooks(self) -> list[str | rx.Var[Any]]:
        """Follow the state."""
        element = f"{self.get_ref()}.current"
        follow = f"""
useEffect(() => {{
    const dialog = {element};
    if (!dialog) return;
    if (!{self.shown}) {{ dialog.close(); return; }}
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("[data-focus]")?.focus();
}}, [{self.shown}]);"""
        return [rx.Var(follow, _var_data=self.shown._get_all_var_data())]


def modal(title: Any, *content: rx.Component, name: str, shown: Any, on_close: Any, **props: Any) -> rx.Component:
    """A titled dialog; `on_close` is told however it was closed, `name` is its id."""
    return Modal.create(
        rx.el.h2(title, id=f"{name}-title", class_name="dialog-title"),
        *content,
        id=name,
        shown=shown,
        on_close=on_close,
        aria_labelledby=f"{name}-title",
        class_name="dialog",
        **props,
    )


def question(
    title: Any,
    about: rx.Component,
    consequence: str,
    refused: rx.Component,
    answer: rx.Component,
    *,
    name: str,
    shown: Any,
    on_close: Any,
    is_harmless: bool = False,
) -> rx.Component:
    """A question before something is done by `answer`; it waits on Cancel, unless the answer is harmless."""
    return modal(
        title,
        about,
        rx.el.p(consequence, class_name="muted"),
        refused,
        dialog_actions(name, answer, is_focused=not is_harmless),
        name=name,
        shown=shown,
        on_close=on_close,
        role="alertdialog",
    )


def opener(*children: Any, **props: Any) -> rx.Component:
    """A button that opens a dialog, once the page is loaded: what opened earlier would be closed by the loading."""
    return button(*children, disabled=~rx.State.is_hydrated, **props)


def dialog_actions(name: str, *answers: rx.Component, is_focused: bool = False) -> rx.Component:
    """How a dialog ends: by Cancel, which may have the focus, or by an answer."""
    cancel = button("Cancel", on_click=closing(name), **(focused() if is_focused else {}))
    return rx.el.div(cancel, *answers, class_name="dialog-actions")


def focused() -> dict[str, Any]:
    """What marks the part that has the focus when a dialog opens; anew each time, for Reflex adds to it."""
    return {"custom_attrs": {"data-focus": ""}}


def closing(name: str) -> EventSpec:
    """Close the dialog at once, without waiting for the server."""
    return rx.call_script(f"document.getElementById('{name}').close()")


def revealing(name: str) -> EventSpec:
    """Bring what a dialog has to say into sight, once it has been rendered."""
    notices = f"document.querySelectorAll('#{name} .notice')"
    show = f"[...{notices}].at(-1)?.scrollIntoView({{block: 'nearest'}})"
    return rx.call_script(f"requestAnimationFrame(() => requestAnimationFrame(() => {show}))")
