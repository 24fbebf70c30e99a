"""View models of the grid of products: its columns, and each product as a row."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from product_importer.catalog.pages.view_models import MAX_CELL
from product_importer.catalog.schemas import ProductRead
from product_importer.ui import routes
from product_importer.ui.grid.values import GridColumn, GridRow, RowButton

# Before the name of an attribute in the key of its column.
ATTRIBUTE = "@"
# Of a page with many attributes, only the most frequent ones are shown, and sent, unless others were chosen.
SHOWN_ATTRIBUTES = 6
MAX_ATTRIBUTES = 40
LABELS = {"sku": "SKU", "name": "Name", "description": "Description", "active": "Active"}
BUTTONS = [
    RowButton("open", "Open", "open", link=routes.PRODUCT.replace("[product_id]", "{id}")),
    RowButton("edit", "Edit", "edit"),
    RowButton("delete", "Delete", "delete", tone="bad"),
]
FIRST = [
    GridColumn("#select", "", kind="select", width=40, frozen=True),
    GridColumn("sku", "SKU", kind="code", width=160, frozen=True, editable=True, lines=False, sort="sku"),
    GridColumn("name", "Name", kind="lead", width="minmax(180px, 2fr)", editable=True, sort="name", hideable=True),
    GridColumn("description", "Description", kind="note", width="minmax(150px, 2fr)", editable=True, hideable=True),
    GridColumn("active", "Active", kind="switch", width=72, editable=True, hideable=True),
]
LAST = [
    GridColumn("created_at", "Created", kind="time", width=104, sort="created_at", hideable=True),
    GridColumn("updated_at", "Updated", kind="time", width=104, sort="updated_at", hideable=True),
    GridColumn("#buttons", "", kind="buttons", width=102, frozen="end", buttons=BUTTONS),
]


def attribute_names(products: Sequence[ProductRead], chosen: Collection[str]) -> list[str]:
    """Return the attributes that are columns of a page: those that were `chosen`, then the most frequent ones."""
    counts = Counter(name for product in products for name in product.attributes)
    frequent = (name for name, _ in counts.most_common() if name not in chosen)
    return [*chosen, *list(frequent)[: max(0, MAX_ATTRIBUTES - len(chosen))]]


def grid_columns(names: Sequence[str], chosen: Collection[str]) -> list[GridColumn]:
    """Return the columns; of the attributes, the first and those that were chosen are shown."""
    usual = set([name for name in names if name not in chosen][:SHOWN_ATTRIBUTES])
    attributes = [
        GridColumn(f"{ATTRIBUTE}{name}", name, width=130, editable=True, hideable=True, optional=name not in usual)
        for name in sorted(names, key=str.casefold)
    ]
    return [*FIRST, *attributes, *LAST]


def grid_row(
    product: ProductRead, names: Collection[str], stamp: int, problems: dict[str, str] | None = None
) -> GridRow:
    """Return a product as a row with the attributes `names`; longer texts are cut."""
    texts = {key: text for key, text in values(product).items() if key[0] != ATTRIBUTE or key[1:] in names}
    times = {"created_at": product.created_at.isoformat(), "updated_at": product.updated_at.isoformat()}
    return GridRow(
        id=str(product.id),
        name=product.sku,
        cells={key: shortened(text) for key, text in texts.items()} | times,
        cut=[key for key, text in texts.items() if len(text) > MAX_CELL],
        problems=problems or {},
        stamp=stamp,
    )


def values(product: ProductRead) -> dict[str, str]:
    """Return the texts of all cells of a product that can be edited, by the keys of their columns."""
    fields: dict[str, Any] = {name: getattr(product, name) for name in ("sku", "name", "description")}
    active = "true" if product.active else "false"
    return fields | {"active": active} | {f"{ATTRIBUTE}{name}": value for name, value in product.attributes.items()}


def label(key: str) -> str:
    """Return the name of a column by its key."""
    return key[1:] if key.startswith(ATTRIBUTE) else LABELS.get(key, key)


def shortened(text: str) -> str:
    """Return a text as it is sent to the page."""
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}…"
