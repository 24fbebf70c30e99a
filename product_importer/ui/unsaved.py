"""Ask before a form in a dialog is thrown away that somebody has begun to fill in."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec

from product_importer.ui.styles import FORM
from product_importer.ui.widgets import button

# What is closed without a question: a form that has the values that it had when it appeared. Empty fields do not
# count: a row that was only added holds nothing. Only the browser knows what is typed, so it decides.
GUARD = """
const {blocker} = useBlocker(() => Boolean({dialog}?.isTouched?.()));
const {blocked} = useRef({blocker});
{blocked}.current = {blocker};
useEffect(() => {{
    if ({blocker}.state === "blocked") document.getElementById("{name}-discard").showModal();
}}, [{blocker}.state]);
useEffect(() => {{
    const dialog = {dialog};
    const question = document.getElementById("{name}-discard");
    const untouched = new WeakMap();
    let pressedOutside = false;
    const read = (form) => JSON.stringify([...new FormData(form)].filter(([, value]) => value !== ""));
    const note = () => {{
        const form = dialog.querySelector("form");
        if (form && !untouched.has(form)) untouched.set(form, read(form));
    }};
    const isOutside = (event) => {{
        const box = dialog.getBoundingClientRect();
        const isBeside = event.clientX < box.left || event.clientX > box.right;
        return event.target === dialog && (isBeside || event.clientY < box.top || event.clientY > box.bottom);
    }};
    const unlessTouched = (event) => {{
        if (!dialog.isTouched()) return;
        event.preventDefault();
        if (event.type !== "beforeunload") question.showModal();
    }};
    const handlers = [
        [dialog, "cancel", (event) => {{ if (event.target === dialog) unlessTouched(event); }}],
        // A second Escape would close a dialog without asking.
        [dialog, "keydown", (event) => {{ if (event.key === "Escape") unlessTouched(event); }}],
        [dialog, "pointerdown", (event) => {{ pressedOutside = isOutside(event); }}],
        [dialog, "click", (event) => {{ if (pressedOutside && isOutside(event)) dialog.leave(); }}],
        [window, "beforeunload", unlessTouched],
        [question, "close", () => {{ if ({blocked}.current.state === "blocked") {blocked}.current.reset(); }}],
    ];
    dialog.isTouched = () => {{
        const form = dialog.open && dialog.querySelector("form");
        return Boolean(form) && untouched.get(form) !== read(form);
    }};
    dialog.leave = () => {{ if (dialog.isTouched()) question.showModal(); else dialog.close(); }};
    dialog.discard = () => {{
        const {{ state, proceed }} = {blocked}.current;
        if (state === "blocked") proceed();
        question.close();
        dialog.close();
    }};
    const watcher = new MutationObserver(note);
    watcher.observe(dialog, {{ childList: true, subtree: true }});
    note();
    for (const [target, type, handler] of handlers) target.addEventListener(type, handler);
    return () => {{
        watcher.disconnect();
        for (const [target, type, handler] of handlers) target.removeEventListener(type, handler);
    }};
}}, []);"""


def guard(element: str, name: str) -> str:
    """Return the hooks of a dialog: `element` is the expression of its node, `name` its id."""
    own = name.replace("-", "_")
    return GUARD.format(dialog=element, name=name, blocker=f"blocker_{own}", blocked=f"blocked_{own}")


def question(name: str, look: str) -> rx.Component:
    """Return the question whether to throw away what was typed in the dialog `name`."""
    keep = rx.call_script(f"document.getElementById('{name}-discard').close()")
    return rx.el.dialog(
        rx.el.h2("Discard what you typed?", id=f"{name}-discard-title", class_name="text-base font-semibold"),
        rx.el.div(
            rx.el.p("It has not been saved.", class_name="text-muted"),
            rx.el.div(
                button("Keep editing", on_click=keep, auto_focus=True, data_testid="discard-keep"),
                button("Discard", kind="danger", on_click=_discard(name), data_testid="discard-confirm"),
                class_name="flex justify-end gap-2 pb-[18px]",
            ),
            class_name=f"mt-3 {FORM}",
        ),
        id=f"{name}-discard",
        role="alertdialog",
        aria_labelledby=f"{name}-discard-title",
        class_name=look,
        data_testid="discard",
    )


def _discard(name: Any) -> EventSpec:
    return rx.call_script(f"document.getElementById('{name}').discard()")
