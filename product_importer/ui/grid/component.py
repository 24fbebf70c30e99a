"""The grid as a component of Reflex: assets/grid.jsx, loaded only by the pages that show a grid."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec, passthrough_event_spec
from reflex_base.components.component import NoSSRComponent
from typing_extensions import TypedDict

from product_importer.ui.grid.values import GridColumn, GridRow


class CellEdit(TypedDict):
    """A new value of one cell: the row's id, the column's key, and the text."""

    row: str
    column: str
    value: str


class DataGrid(NoSSRComponent):
    """Rows of cells; `changed` has newer forms of rows by their ids, so that an edit sends only these.

    Enter, a double click or typing edits a cell, Escape leaves it; Delete clears it; several cells can be pasted.
    `on_edit` gets a list of `CellEdit`, `on_action` a row's id and the name of its action. `storage_key` names where
    the browser keeps widths and order of the columns.
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
    on_edit: rx.EventHandler[passthrough_event_spec(list[CellEdit])]  # type: ignore[type-arg,valid-type]
    on_action: rx.EventHandler[passthrough_event_spec(str, str)]  # type: ignore[type-arg,valid-type]


def data_grid(*, name: str, label: Any, **props: Any) -> rx.Component:
    """Return a grid in a box; `name` is the box's id and the grid's test id, `label` its name for screen readers."""
    return rx.el.div(DataGrid.create(name=name, label=label, **props), id=name)


def focus_grid(name: str) -> EventSpec:
    """Focus the first cell with a problem, else the first cell, of the grid `name`; once it is there, if it loads."""
    ask = "window.gridAsked = location.pathname; "
    return rx.call_script(f"{ask}document.getElementById('{name}')?.dispatchEvent(new Event('grid:focus'))")
