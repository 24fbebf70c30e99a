"""The controls of forms, with their errors."""

from typing import Any

import reflex as rx

from product_importer.ui import styles


def form_field(label: str, control: rx.Component, *, name: str, error: Any) -> rx.Component:
    """Return a control of a form and its error; the control has `aria_describedby=error_id(name)`."""
    return rx.el.div(
        rx.el.label(rx.el.span(label, class_name=styles.LABEL), control, class_name=styles.FIELD),
        fault(error, name=name),
    )


def fault(error: Any, *, name: str) -> rx.Component:
    """Return the error of a form's control; nothing is seen while it is empty."""
    return rx.el.p(error, id=error_id(name), aria_live="polite", class_name=styles.FAULT, data_testid=f"{name}-fault")


def input_props(name: str, *, prefix: str, form: Any, errors: Any) -> dict[str, Any]:
    """Return the properties of a text input in a form; its `form_field` has the name `{prefix}-{name}`."""
    return {
        "name": name,
        "default_value": getattr(form, name),
        "class_name": styles.INPUT,
        "auto_complete": "off",
        "aria_invalid": rx.cond(errors[name], "true", "false"),
        "aria_describedby": error_id(f"{prefix}-{name}"),
        "data_testid": f"{prefix}-{name}",
    }


def error_id(name: str) -> str:
    """Return the id of the error of a form's control."""
    return f"{name}-fault"


def switch(is_on: Any, *, label: Any, on_click: Any, is_busy: Any, **props: Any) -> rx.Component:
    """Return a switch: on or off, changed by a click."""
    return rx.el.button(
        type="button",
        role="switch",
        aria_checked=rx.cond(is_on, "true", "false"),
        aria_busy=rx.cond(is_busy, "true", "false"),
        aria_label=label,
        on_click=on_click,
        class_name=styles.SWITCH,
        **props,
    )
