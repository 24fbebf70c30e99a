"""The grid as a component of Reflex: assets/grid.jsx, loaded only by the pages that show a grid."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec, no_args_event_spec, passthrough_event_spec
from reflex_base.components.component import NoSSRComponent
from typing_extensions import TypedDict

from product_importer.ui import toasts
from product_importer.ui.connection.limits import MAX_ARGUMENT
from product_importer.ui.grid.values import FullTexts, GridColumn, GridLayout, GridRow


class CellEdit(TypedDict):
    """A new value of one cell: the row's id, the column's key, the text, and the row's stamp when the edit began."""

    row: str
    column: str
    value: str
    stamp: int


class CellName(TypedDict):
    """One cell: the row's id and the column's key."""

    row: str
    column: str


class LayoutChange(TypedDict):
    """A `GridLayout` as the browser sends it."""

    stamp: str
    order: list[str]
    hidden: list[str]
    shown: list[str]
    widths: dict[str, float]
    density: str


class DataGrid(NoSSRComponent):
    """Rows of cells; `changed` has newer forms of rows by their ids, so that an edit sends only these.

    Enter, a double click or typing edits a cell, Escape leaves it; Delete clears it. Shift extends a range of cells;
    ranges are copied and pasted. `on_edit` gets a list of `CellEdit`, how many pasted cells were beyond the rows, and
    how many cannot be edited. More than `max_edits` at once, or `max_characters` of JSON, are refused: `on_refuse`
    gets why, and what to do. `on_switch` gets a row's id and the new value; `on_action` a row's id, the name of its
    action, and its cells. `on_load` gets cells of which `full` is to bring the whole texts, and the number of this
    request.

    `storage_key` names where the browser keeps what people change of the grid; `layout` replaces that when its stamp
    is new, and `on_layout` gets it. `tools` is the id of the element where the menu of columns is shown. In narrow
    windows a grid with `narrow` is a list instead: keys of a title, a text and a switch. `ids` are test ids by what
    they are of: "row", "table", the key of a column, or the name of a button.
    """

    library = "$/public/grid.jsx"
    lib_dependencies: list[str] = ["react-data-grid@7.0.0-beta.61"]  # noqa: RUF012 - as Reflex has it
    tag = "Grid"

    columns: rx.Var[list[GridColumn]]
    rows: rx.Var[list[GridRow]]
    changed: rx.Var[dict[str, GridRow]]
    label: rx.Var[str]
    name: rx.Var[str]
    read_only: rx.Var[bool]
    storage_key: rx.Var[str]
    sort: rx.Var[str]
    selected: rx.Var[list[str]]
    all_selected: rx.Var[bool]
    refusals: rx.Var[int]
    full: rx.Var[FullTexts]
    layout: rx.Var[GridLayout]
    tools: rx.Var[str]
    narrow: rx.Var[list[str]]
    ids: rx.Var[dict[str, str]]
    max_edits: rx.Var[int]
    max_characters: rx.Var[int]
    on_refuse: rx.EventHandler[passthrough_event_spec(str, str)]  # type: ignore[type-arg,valid-type]
    on_edit: rx.EventHandler[passthrough_event_spec(list[CellEdit], int, int)]  # type: ignore[type-arg,valid-type]
    on_action: rx.EventHandler[passthrough_event_spec(str, str, dict[str, str])]  # type: ignore[type-arg,valid-type]
    on_switch: rx.EventHandler[passthrough_event_spec(str, bool)]  # type: ignore[type-arg,valid-type]
    on_load: rx.EventHandler[passthrough_event_spec(list[CellName], int)]  # type: ignore[type-arg,valid-type]
    on_sort: rx.EventHandler[passthrough_event_spec(str)]  # type: ignore[type-arg,valid-type]
    on_select: rx.EventHandler[passthrough_event_spec(list[str], bool)]  # type: ignore[type-arg,valid-type]
    on_layout: rx.EventHandler[passthrough_event_spec(LayoutChange)]  # type: ignore[type-arg,valid-type]
    on_undo: rx.EventHandler[no_args_event_spec]  # type: ignore[type-arg,valid-type]


def data_grid(*, name: str, label: Any, **props: Any) -> rx.Component:
    """Return a grid in a box; `name` is the box's id and the grid's test id, `label` its name for screen readers."""
    box = props.pop("box", "")
    limits = {"max_characters": MAX_ARGUMENT, "on_refuse": toasts.error_of_page}
    return rx.el.div(DataGrid.create(name=name, label=label, **limits, **props), id=name, class_name=box)


def focus_grid(name: str) -> EventSpec:
    """Focus the first cell with a problem, else the first cell, of the grid `name`; once it is there, if it loads."""
    ask = "window.gridAsked = location.pathname; "
    return rx.call_script(f"{ask}document.getElementById('{name}')?.dispatchEvent(new Event('grid:focus'))")
