"""What a grid shows: columns, and rows of cells with their marks. All of it is plain JSON in the browser."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class GridColumn:
    """A column. Its `kind` is "value", "state" (the row's state) or "action" (the row's button).

    `width` is in pixels, or CSS for a track of a grid.
    """

    key: str = ""
    name: str = ""
    kind: str = "value"
    width: int | str = 0
    frozen: bool = False
    editable: bool = False


@dataclass(frozen=True)
class RowState:
    """What a row is: a word for programs, an icon of the grid's, a tone of the widgets', a text, and a note below."""

    name: str = ""
    icon: str = ""
    tone: str = "neutral"
    text: str = ""
    note: str = ""


@dataclass(frozen=True)
class RowAction:
    """The button of a row."""

    name: str = ""
    label: str = ""


@dataclass(frozen=True)
class GridRow:
    """A row: texts by the keys of columns, and what is to be said about them.

    `before` has old values, `problems` what is wrong, `edited` the keys of edited cells, `cut` those of cells
    that are too long to be edited here. `stamp` changes with every
    answer to an edit of the row, also with a refusal: until then the grid shows what was typed.
    """

    id: str = ""
    name: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    edited: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    state: RowState = RowState()
    action: RowAction = RowAction()
    locked: bool = False
    stamp: int = 0
