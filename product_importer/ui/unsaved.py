"""Ask before a form in a dialog is thrown away that somebody has begun to fill in."""

import reflex as rx
from reflex.event import EventSpec
from reflex_components_core.el.elements.other import Dialog  # type: ignore[import-untyped]

from product_importer.ui.styles import FORM
from product_importer.ui.widgets import button

# What is closed without a question: a form that has the values that it had when it appeared. Empty fields do not
# count: a row that was only added holds nothing. Only the browser knows what is typed, so it decides.
GUARD = """
useEffect(() => {{
    const dialog = {dialog};
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
        if (event.type !== "beforeunload") dialog.ask();
    }};
    const handlers = [
        [dialog, "cancel", (event) => {{ if (event.target === dialog) unlessTouched(event); }}],
        // A second Escape would close a dialog without asking.
        [dialog, "keydown", (event) => {{ if (event.key === "Escape") unlessTouched(event); }}],
        [dialog, "pointerdown", (event) => {{ pressedOutside = isOutside(event); }}],
        [dialog, "click", (event) => {{ if (pressedOutside && isOutside(event)) dialog.leave(); }}],
        [window, "beforeunload", unlessTouched],
    ];
    dialog.isTouched = () => {{
        const form = dialog.open && dialog.querySelector("form");
        return Boolean(form) && untouched.get(form) !== read(form);
    }};
    dialog.ask = () => {{
        const question = document.getElementById("discard");
        if (question.open) return;
        const answer = () => {{ if (question.returnValue === "discard") dialog.close(); }};
        question.addEventListener("close", answer, {{ once: true }});
        question.returnValue = "";
        question.showModal();
    }};
    dialog.leave = () => {{ if (dialog.isTouched()) dialog.ask(); else dialog.close(); }};
    const watcher = new MutationObserver(note);
    watcher.observe(dialog, {{ childList: true, subtree: true }});
    note();
    for (const [target, type, handler] of handlers) target.addEventListener(type, handler);
    return () => {{
        watcher.disconnect();
        for (const [target, type, handler] of handlers) target.removeEventListener(type, handler);
    }};
}}, []);"""
# One for all forms of a page: the router heeds one blocker only. Saving may change the parameters of the address, so
# what leads to the same page asks only where somebody goes back or forward.
BLOCKER = """
const findTouched = () => [...document.querySelectorAll("dialog[open]")].find((dialog) => dialog.isTouched?.());
const leaving = useBlocker(({ currentLocation, nextLocation, historyAction }) =>
    (historyAction === "POP" || currentLocation.pathname !== nextLocation.pathname) && Boolean(findTouched()));
useEffect(() => {
    if (leaving.state !== "blocked") return;
    const question = document.getElementById("discard");
    const answer = () => { if (question.returnValue === "discard") leaving.proceed(); else leaving.reset(); };
    question.addEventListener("close", answer);
    findTouched()?.ask();
    return () => question.removeEventListener("close", answer);
}, [leaving]);"""


class Question(Dialog):
    """The question whether to throw away what was typed; it is asked before somebody leaves the page, too."""

    def add_imports(self) -> dict[str, str]:
        """Import the hooks that `add_hooks` uses."""
        return {"react": "useEffect", "react-router": "useBlocker"}

    def add_hooks(self) -> list[str]:
        """Add the blocker."""
        return [BLOCKER]


def guard(element: str) -> str:
    """Return the hook of a dialog with a form; `element` is the expression of its node."""
    return GUARD.format(dialog=element)


def question(look: str) -> rx.Component:
    """Return the question of a page, which all its forms share."""
    return Question.create(
        rx.el.h2("Discard what you typed?", id="discard-title", class_name="text-base font-semibold"),
        rx.el.div(
            rx.el.p("It has not been saved.", class_name="text-muted"),
            rx.el.div(
                button("Keep editing", on_click=_answer("keep"), auto_focus=True, data_testid="discard-keep"),
                button("Discard", kind="danger", on_click=_answer("discard"), data_testid="discard-confirm"),
                class_name="flex justify-end gap-2 pb-[18px]",
            ),
            class_name=f"mt-3 {FORM}",
        ),
        id="discard",
        role="alertdialog",
        aria_labelledby="discard-title",
        class_name=look,
        data_testid="discard",
    )


def _answer(answer: str) -> EventSpec:
    return rx.call_script(f"document.getElementById('discard').close('{answer}')")
