"""What a grid shows: columns, and rows of cells with their marks. All of it is plain JSON in the browser."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RowButton:
    """A button that every row has: a name for programs, a label, an icon of the grid's, and the tone "" or "bad".

    With a `link` it is a link instead, for readers, too; `{id}` in it is the row's id.
    """

    name: str = ""
    label: str = ""
    icon: str = ""
    tone: str = ""
    link: str = ""


@dataclass(frozen=True)
class GridColumn:
    """A column.

    Its `kind` is "value"; "code", "lead" or "note", which are values that look different; "time"; "switch" ("true" or
    "false"); "state" (the row's state); "action" (the row's own button); "buttons" (every row's); or "select".

    `width` is in pixels, or CSS for a track of a grid. A `frozen` one stays at the start, or at the "end"; two at the
    start at most, and those with a width in pixels. The menu of columns has those that are `hideable`; those that are
    `optional` are shown only when they were chosen there. The values of one without `lines` have no line breaks.
    `sort` is what `on_sort` gets.
    """

    key: str = ""
    name: str = ""
    kind: str = "value"
    width: int | str = 0
    frozen: bool | str = False
    editable: bool = False
    lines: bool = True
    sort: str = ""
    hideable: bool = False
    optional: bool = False
    buttons: list[RowButton] = field(default_factory=list)


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
    that are not here in full: they can be edited only if the grid has `on_load`. A row that is `gone` was deleted.
    `stamp` changes with every answer to an edit of the row, also with a refusal: until then the grid shows what was
    typed.
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
    gone: bool = False
    stamp: int = 0


@dataclass(frozen=True)
class GridLayout:
    """What people change of a grid: order and widths of its columns, which are hidden or shown, and its density.

    `stamp` tells it from an older one of the same name; it is empty where the browser's own layout is used.
    """

    stamp: str = ""
    order: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    widths: dict[str, float] = field(default_factory=dict)
    density: str = ""


@dataclass(frozen=True)
class FullTexts:
    """The answer to request `number` of `on_load`: texts by row and column; what is missing cannot be read."""

    number: int = 0
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
