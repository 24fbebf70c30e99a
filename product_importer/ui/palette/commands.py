"""The commands of the palette, with their shortcuts."""

from typing import TypedDict

from product_importer.ui import routes


class Command(TypedDict):
    """A command: it opens the address `to`, and presses the control whose `data-shortcut` is `press`.

    `keys` is its shortcut, `words` are other words by which it is found. `needs` is empty, or who sees it: "import",
    "write", "admin" or "person". `opens` names a dialog of the keyboard's own.
    """

    name: str
    group: str
    keys: str
    words: list[str]
    to: str
    press: str
    needs: str
    opens: str


def _command(name: str, group: str, keys: str = "", **given: object) -> Command:
    empty: Command = {
        "name": name,
        "group": group,
        "keys": keys,
        "words": [],
        "to": "",
        "press": "",
        "needs": "",
        "opens": "",
    }
    return {**empty, **given}  # type: ignore[typeddict-item]


GO, DO = "Go to", "Commands"
COMMANDS = [
    _command("Overview", GO, "g o", to=routes.OVERVIEW, words=["home", "start"]),
    _command("Products", GO, "g p", to=routes.PRODUCTS, words=["catalogue"]),
    _command("Imports", GO, "g i", to=routes.IMPORTS, words=["upload", "history"]),
    _command("Webhooks", GO, "g w", to=routes.WEBHOOKS, words=["deliveries"]),
    _command("Account", GO, to=routes.ACCOUNT, needs="person", words=["password", "sessions"]),
    _command("Tokens", GO, to=routes.TOKENS, needs="person", words=["API"]),
    _command("Record", GO, to=routes.AUDIT, needs="admin", words=["audit"]),
    _command("New product", DO, to=routes.PRODUCTS, press="new", needs="write", words=["create", "add"]),
    _command("Import a file", DO, to=routes.IMPORTS, press="new", needs="import", words=["upload", "CSV", "Excel"]),
    _command("New webhook", DO, to=routes.WEBHOOKS, press="new", needs="admin", words=["create", "add"]),
    _command("Switch between light and dark", DO, press="theme", words=["theme", "colours"]),
    _command("Keyboard shortcuts", DO, "?", opens="shortcuts", words=["help", "keys"]),
    _command("Sign out", DO, press="sign-out", needs="person", words=["log out"]),
]
# Shortcuts that are no commands of the palette: they are only listed.
KEYS = [
    _command("Command palette", "", "Ctrl K", opens="palette"),
    _command("Search in this page", "", "/"),
    _command("New product, webhook or import: that of this page", "", "n"),
    _command("Messages, such as one with Undo", "", "Alt T"),
    _command("Grid: go to another cell", "", "Arrows"),
    _command("Grid: choose several cells", "", "Shift Arrows"),
    _command("Grid: select the row", "", "Space"),
    _command("Grid: edit the cell, save it", "", "Enter", needs="write"),
    _command("Grid: restore the cell while it is edited", "", "Esc", needs="write"),
    _command("Grid: empty the cells", "", "Delete", needs="write"),
    _command("Grid: copy the cells", "", "Ctrl C"),
    _command("Grid: paste cells", "", "Ctrl V", needs="write"),
    _command("Grid: undo the last edit", "", "Ctrl Z", needs="write"),
]
