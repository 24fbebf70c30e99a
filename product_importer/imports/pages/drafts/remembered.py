"""The options that the browser remembers: they are usually the same for a shop's next file."""

import reflex as rx

from product_importer.imports.pages import labels

# Each option's possible values, the default first.
REMEMBERED = {
    "mode": labels.MODES,
    "duplicates": labels.DUPLICATES,
    "blank": labels.BLANKS,
    "continuation": labels.CONTINUATIONS,
    "scientific": labels.SCIENTIFIC,
}


class RememberedState(rx.State):
    """What this browser chose last for each option."""

    mode: str = rx.LocalStorage("upsert", name="import-mode")
    duplicates: str = rx.LocalStorage("last", name="import-duplicates")
    blank: str = rx.LocalStorage("clear", name="import-blank")
    # Empty until it was chosen: the columns step answers it by the file until then.
    continuation: str = rx.LocalStorage("", name="import-continuation")
    scientific: str = rx.LocalStorage("reject", name="import-scientific")


def chosen(state: RememberedState) -> dict[str, str]:
    """Return the options; what was stored may be invalid, and becomes the default."""
    stored = {name: getattr(state, name) for name in REMEMBERED}
    return {name: value if value in REMEMBERED[name] else default(name) for name, value in stored.items()}


def remember(state: RememberedState, name: str, value: str) -> None:
    """Keep the value of an option for the next file."""
    if value in REMEMBERED.get(name, ()):
        setattr(state, name, value)


def default(name: str) -> str:
    """Return the default of an option."""
    return next(iter(REMEMBERED[name]))
