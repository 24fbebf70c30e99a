"""The keyboard as a component: shortcuts, palette and list of shortcuts (assets/keyboard.jsx)."""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec
from reflex_base.utils.imports import ImportVar
from reflex_base.vars import VarData
from reflex_base.vars.function import FunctionStringVar

from product_importer.ui import modal, styles
from product_importer.ui.access_state import AccessState
from product_importer.ui.palette.commands import COMMANDS, KEYS, Command
from product_importer.ui.palette.finders import Hit
from product_importer.ui.palette.state import PaletteState

LIBRARY = "$/public/keyboard.jsx"
KEY = "rounded border border-line-strong bg-sunken px-1.5 font-sans text-xs leading-5 text-muted"
LOOKS = {
    "palette": (
        "mx-auto mt-[12vh] mb-auto w-[min(620px,calc(100vw-32px))] overflow-hidden rounded-2xl border border-line "
        "bg-raised p-0 text-ink shadow-2xl backdrop:bg-shade"
    ),
    "input": (
        "h-12 w-full border-b border-line bg-raised px-4 text-base placeholder:text-muted focus-visible:outline-none"
    ),
    "list": "max-h-[min(420px,60vh)] overflow-y-auto overscroll-contain scroll-py-2 p-2",
    "heading": "block px-2 pt-2 pb-1 text-xs font-medium text-muted",
    "item": (
        "flex min-h-9 cursor-pointer items-center justify-between gap-3 rounded-md px-2 py-1 "
        "data-[selected=true]:bg-sunken forced-colors:data-[selected=true]:outline"
    ),
    "name": "min-w-0 wrap-anywhere",
    "note": "max-w-[50%] flex-none truncate text-muted",
    "empty": "px-2 py-8 text-center text-muted",
    "keys": "flex flex-none gap-1",
    "key": KEY,
    "dialog": modal.DIALOG,
    "title": "text-base font-semibold",
    "shortcuts": "mt-3 grid grid-cols-1",
    "shortcut": "flex min-h-9 items-center justify-between gap-4 border-b border-line py-1",
    "check": f"{styles.CHECK} mt-4",
    "box": styles.CHECK_BOX,
    "bar": f"{modal.ACTION_BAR} mt-3",
    "button": styles.button_look(""),
}


class Keyboard(rx.Component):
    """Listens to shortcuts; palette and list of shortcuts are loaded when they are first opened."""

    library = LIBRARY
    lib_dependencies: list[str] = ["cmdk@1.1.1"]  # noqa: RUF012 - as Reflex has it
    tag = "Keyboard"

    commands: rx.Var[list[Command]]
    # Which commands are offered, by what they need.
    may: rx.Var[dict[str, bool]]
    hits: rx.Var[list[Hit]]
    # The text that was searched for.
    searched: rx.Var[str]
    looks: rx.Var[dict[str, str]]
    on_search: rx.EventHandler[passthrough_event_spec(str)]  # type: ignore[type-arg,valid-type]


def keyboard() -> rx.Component:
    """Return the keyboard of a page."""
    may = {
        "import": AccessState.can_import,
        "write": AccessState.can_write,
        "admin": AccessState.is_admin,
        "person": AccessState.signs_in,
    }
    return Keyboard.create(
        commands=[*COMMANDS, *KEYS],
        may=may,
        hits=PaletteState.hits,
        searched=PaletteState.searched,
        looks=LOOKS,
        on_search=PaletteState.search,
    )


def palette_button() -> rx.Component:
    """Return the button that opens the palette."""
    opened: FunctionStringVar[Any] = FunctionStringVar.create(
        "(() => openPalette())", _var_data=VarData(imports={LIBRARY: [ImportVar("openPalette")]})
    )
    return rx.el.button(
        rx.icon("search", size=16, aria_hidden="true"),
        rx.el.kbd("Ctrl K", class_name=f"{KEY} max-md:hidden"),
        type="button",
        on_click=opened,
        aria_label="Command palette",
        title="Search products, imports and commands",
        aria_keyshortcuts="Control+K Meta+K",
        class_name="flex h-8 min-w-8 flex-none cursor-pointer items-center justify-center gap-2 rounded-md px-1.5 "
        "text-muted hover:bg-sunken hover:text-ink",
        data_testid="palette-open",
    )


def shortcut(name: str) -> dict[str, Any]:
    """Return the attributes of a control that is used by keyboard: "new", "search", "theme" or "sign-out"."""
    return {"data-shortcut": name}
