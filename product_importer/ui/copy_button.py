"""A button that copies the text of an element; the browser does all of it."""

import reflex as rx

from product_importer.ui import styles

# Without HTTPS the browser has no clipboard API, but `execCommand` still copies what is selected. The button says so
# for a moment.
COPY = """(async () => {
    const source = document.getElementById('%(source)s'), button = document.getElementById('%(source)s-copy');
    const select = () => {
        getSelection().selectAllChildren(source);
        return document.execCommand('copy');
    };
    const done = await navigator.clipboard?.writeText(source.textContent).then(() => true, select) ?? select();
    const words = button.querySelector('span');
    words.textContent = done ? 'Copied' : 'Not copied: select the text';
    setTimeout(() => { words.textContent = 'Copy'; }, 2000);
})()"""


def copy_button(source: str, *, what: str) -> rx.Component:
    """Return the button; `source` is the element's id, `what` names its text."""
    return rx.el.button(
        # What it says changes, and is read out.
        rx.el.span("Copy", aria_live="polite"),
        rx.el.span(f" {what}", class_name="sr-only"),
        type="button",
        id=f"{source}-copy",
        on_click=rx.call_script(COPY % {"source": source}),
        class_name=styles.button_look("quiet"),
        data_testid=f"{source}-copy",
    )
