"""The menu of the person at the page: account, tokens, record, sign out."""

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML  # type: ignore[import-untyped]

from product_importer.ui import routes
from product_importer.ui.access_state import AccessState
from product_importer.ui.menu import ENTRY, menu
from product_importer.ui.palette.keyboard import shortcut
from product_importer.ui.widgets import link

INITIAL = "grid size-[26px] place-items-center rounded-full bg-accent-soft text-xs font-semibold text-accent"


class PlainForm(BaseHTML):
    """A form that the browser itself sends, unlike Reflex's."""

    tag = "form"
    action: rx.Var[str]
    method: rx.Var[str]


def person_menu() -> rx.Component:
    """Return the menu; nothing while nobody signs in."""
    return rx.cond(
        AccessState.signs_in,
        menu(
            rx.el.span(AccessState.name[0].upper(), class_name=INITIAL, aria_hidden="true"),
            rx.el.p(
                rx.el.span(
                    AccessState.name, class_name="font-medium wrap-anywhere text-ink", data_testid="person-name"
                ),
                rx.el.span(AccessState.role, class_name="text-muted"),
                class_name="mb-1 grid max-w-[260px] border-b border-line px-2.5 pt-1.5 pb-2",
            ),
            _entry("Account", routes.ACCOUNT),
            _entry("Tokens", routes.TOKENS),
            rx.cond(AccessState.is_admin, _entry("Record", routes.AUDIT)),
            _sign_out(),
            name="person",
            chevron="max-md:hidden",
            aria_label="Account of " + AccessState.name,
            title=AccessState.name,
        ),
    )


def _entry(name: str, route: str) -> rx.Component:
    return link(name, to=route, class_name=ENTRY, data_testid=f"person-{name.lower()}")


def _sign_out() -> rx.Component:
    """Return the button that signs out; the whole page is left."""
    return PlainForm.create(
        rx.el.button(
            "Sign out",
            type="submit",
            class_name=ENTRY,
            custom_attrs=shortcut("sign-out"),
            data_testid="person-sign-out",
        ),
        action=routes.SIGN_OUT,
        method="post",
        class_name="mt-1 grid border-t border-line pt-1",
    )
