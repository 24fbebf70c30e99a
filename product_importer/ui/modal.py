"""Dialogs: the browser's `dialog` element, which keeps the focus inside, closes on Escape and restores the focus."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec, no_args_event_spec
from reflex_components_core.el.elements.other import Dialog  # type: ignore[import-untyped]

from product_importer.ui import unsaved
from product_importer.ui.widgets import button

DIALOG = (
    "m-auto max-h-[calc(100dvh-32px)] w-[min(560px,calc(100vw-32px))] overflow-auto overscroll-contain rounded-2xl "
    "border border-line bg-raised px-5 pt-[18px] text-ink shadow-2xl transition-[opacity,translate] duration-150 "
    "backdrop:bg-shade open:starting:translate-y-1.5 open:starting:opacity-0 "
    "[&[role=alertdialog]]:max-w-[440px]"
)
# At the right edge of the window, over the whole of a narrow one.
DRAWER = (
    "mr-0 ml-auto h-dvh max-h-dvh w-[min(760px,100vw)] max-w-none overflow-y-auto overscroll-contain border-line "
    "bg-raised px-5 pb-8 text-ink shadow-2xl transition-[opacity,translate] duration-150 backdrop:bg-shade "
    "open:starting:translate-x-3 open:starting:opacity-0 md:border-l md:px-6"
)
DRAWER_BAR = (
    "sticky top-0 z-10 -mx-5 flex items-center justify-between gap-3 border-b border-line bg-raised px-5 py-3 "
    "md:-mx-6 md:px-6"
)
ACTION_BAR = "sticky bottom-0 -mx-5 flex justify-end gap-2 bg-raised px-5 pt-1 pb-[18px]"


class Modal(Dialog):
    """A `dialog` element that is open while `shown` is true.

    It opens after its content is rendered, so that the element marked with `data-focus` can take the focus.
    """

    shown: rx.Var[bool]
    on_close: rx.EventHandler[no_args_event_spec]  # type: ignore[type-arg,valid-type]

    def _exclude_props(self) -> list[str]:
        return [*super()._exclude_props(), "shown"]

    def add_imports(self) -> dict[str, Any]:
        """Import the hook that `add_hooks` uses."""
        return {"react": "useEffect"}

    def add_hooks(self) -> list[str | rx.Var[Any]]:
        """Open and close the element when `shown` changes."""
        element = f"{self.get_ref()}.current"
        follow = f"""
useEffect(() => {{
    const dialog = {element};
    if (!dialog) return;
    dialog.toggleAttribute("data-shown", Boolean({self.shown}));
    if (!{self.shown}) {{ dialog.close(); return; }}
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("[data-focus]")?.focus();
}}, [{self.shown}]);"""
        return [rx.Var(follow, _var_data=self.shown._get_all_var_data())]


class KeptModal(Modal):
    """A dialog that neither Escape nor a click beside it closes: what it shows is not shown again."""

    def add_hooks(self) -> list[str | rx.Var[Any]]:
        """Take Escape from the browser while the dialog is open; not all know the attribute `closedby`."""
        keep = f"""
useEffect(() => {{
    if (!{self.shown}) return;
    const keep = (event) => {{ if (event.key === "Escape") event.preventDefault(); }};
    window.addEventListener("keydown", keep, true);
    return () => window.removeEventListener("keydown", keep, true);
}}, [{self.shown}]);"""
        return [rx.Var(keep, _var_data=self.shown._get_all_var_data())]


class FormModal(Modal):
    """A dialog with a form: it asks before it throws away what somebody has typed."""

    def add_hooks(self) -> list[str | rx.Var[Any]]:
        """Also guard the form."""
        return [unsaved.guard(f"{self.get_ref()}.current")]


def form_modal(title: Any, *content: rx.Component, name: str, shown: Any, on_close: Any) -> rx.Component:
    """Return a dialog with a form, which asks before what was typed is thrown away. A click beside it closes it."""
    return modal(title, *content, name=name, shown=shown, on_close=on_close, kind=FormModal)


def modal(
    title: Any,
    *content: rx.Component,
    name: str,
    shown: Any,
    on_close: Any,
    kind: type[Modal] = Modal,
    **props: Any,
) -> rx.Component:
    """Return a dialog with a title. `name` is its id; `on_close` runs however it is closed."""
    attributes = {"custom_attrs": {"closedby": "none"}} if kind is KeptModal else {}
    return kind.create(
        rx.el.h2(title, id=f"{name}-title", class_name="text-base font-semibold"),
        rx.el.div(*content, class_name="mt-3 grid grid-cols-1 gap-2.5"),
        id=name,
        shown=shown,
        on_close=on_close,
        aria_labelledby=f"{name}-title",
        class_name=DIALOG,
        **attributes,
        **props,
    )


def drawer(title: Any, *content: rx.Component, name: str, shown: Any, on_close: Any) -> rx.Component:
    """Return a dialog at the right edge, for the details of one entry of a list; a click beside it closes it, too."""
    close = button(
        rx.icon("x", size=16),
        kind="quiet",
        on_click=close_dialog(name),
        aria_label="Close",
        title="Close",
        data_testid=f"{name}-close",
    )
    heading = rx.el.h2(
        title,
        id=f"{name}-title",
        tab_index=-1,
        class_name="min-w-0 rounded-sm font-semibold wrap-anywhere",
        **initial_focus(),
    )
    return Modal.create(
        rx.el.header(heading, close, class_name=DRAWER_BAR),
        *content,
        id=name,
        shown=shown,
        on_close=on_close,
        aria_labelledby=f"{name}-title",
        class_name=DRAWER,
        custom_attrs={"closedby": "any"},
        data_testid=name,
    )


def confirmation(
    title: Any,
    about: rx.Component,
    consequence: str,
    error: rx.Component,
    action: rx.Component,
    *,
    name: str,
    shown: Any,
    on_close: Any,
    is_harmless: bool = False,
) -> rx.Component:
    """Return a dialog that asks before `action`. Cancel has the focus, unless the action is harmless."""
    return modal(
        title,
        about,
        rx.el.p(consequence, class_name="text-muted"),
        error,
        dialog_actions(name, action, is_focused=not is_harmless),
        name=name,
        shown=shown,
        on_close=on_close,
        role="alertdialog",
    )


def dialog_button(*children: Any, **props: Any) -> rx.Component:
    """Return a button that opens a dialog. It is disabled until the page has loaded, which closes all dialogs."""
    return button(*children, disabled=~rx.State.is_hydrated, **props)


def dialog_actions(name: str, *actions: rx.Component, is_focused: bool = False) -> rx.Component:
    """Return the buttons of a dialog: Cancel, which has the focus if `is_focused`, and the actions."""
    cancel = button("Cancel", on_click=close_dialog(name), **(initial_focus() if is_focused else {}))
    return action_bar(cancel, *actions)


def action_bar(*buttons: rx.Component) -> rx.Component:
    """Return the buttons at the bottom of a dialog, where they stay while its content is scrolled."""
    return rx.el.div(*buttons, class_name=ACTION_BAR)


def initial_focus() -> dict[str, Any]:
    """Return the properties of the element that has the focus when its dialog opens."""
    # A new dict each time, because Reflex adds to it.
    return {"custom_attrs": {"data-focus": ""}}


def close_dialog(name: str) -> EventSpec:
    """Close the dialog at once, without waiting for the server; one with a form may ask before."""
    dialog = f"document.getElementById('{name}')"
    return rx.call_script(f"{dialog}.leave ? {dialog}.leave() : {dialog}.close()")


def scroll_to_notice(name: str) -> EventSpec:
    """Scroll to the last notice of a dialog, once it has been rendered."""
    notices = f"document.querySelectorAll('#{name} [role=alert]')"
    show = f"[...{notices}].at(-1)?.scrollIntoView({{block: 'nearest'}})"
    return rx.call_script(f"requestAnimationFrame(() => requestAnimationFrame(() => {show}))")
