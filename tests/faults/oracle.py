"""The expected catalogue after each file: the import rules as plain Python over a dict."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from product_importer.catalog.schemas import sku_key


@dataclass(frozen=True)
class Product:
    """The fields of a product that an import sets."""

    sku: str
    name: str
    description: str
    active: bool
    attributes: Mapping[str, str]
    version: int = 1


@dataclass(frozen=True)
class Row:
    """A valid row of a file; `active` is None if the file has no such column."""

    line: int
    sku: str
    name: str
    description: str
    active: bool | None
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class File:
    """A file's bytes, its valid rows in order, and the error code of each rejected row, by line."""

    content: bytes = field(repr=False)
    rows: list[Row] = field(repr=False)
    rejects: dict[int, str] = field(repr=False)

    @property
    def total(self) -> int:
        return len(self.rows) + len(self.rejects)


@dataclass(frozen=True)
class Outcome:
    """What the import of a file must report: its counts, and the code of each row error, by line."""

    counts: dict[str, int]
    row_errors: dict[int, str] = field(repr=False)


class Oracle:
    """The expected catalogue: products by SKU key."""

    def __init__(self, products: dict[str, Product]):
        self.products = products

    def changes(self, file: File) -> list[str]:
        """Return the keys of the products that the file would change, in order."""
        last = {sku_key(row.sku): row for row in file.rows}
        held = {key: self.products[key] for key in last.keys() & self.products.keys()}
        return sorted(key for key, product in held.items() if merged(product, last[key]) != product)

    def take(self, file: File) -> Outcome:
        """Import a file. Of several rows with the same key the last one wins."""
        last = {sku_key(row.sku): row for row in file.rows}
        losers = {row.line: "duplicate" for row in file.rows if last[sku_key(row.sku)] is not row}
        counts = {"created": 0, "updated": 0, "unchanged": 0}
        for key, row in last.items():
            held = self.products.get(key)
            product = merged(held, row) if held else created(row)
            counts["created" if held is None else "unchanged" if product == held else "updated"] += 1
            self.products[key] = product
        counts |= {"duplicates": len(losers), "rejected": len(file.rejects)}
        return Outcome(counts, losers | file.rejects)


def created(row: Row) -> Product:
    return Product(row.sku.strip(), row.name, row.description, row.active is not False, given(row))


def merged(held: Product, row: Row) -> Product:
    """Return the updated product. It keeps its SKU's spelling, and the fields that the file has no column for."""
    kept = {name: value for name, value in held.attributes.items() if name not in row.attributes}
    product = replace(
        held,
        name=row.name,
        description=row.description,
        active=held.active if row.active is None else row.active,
        attributes=kept | given(row),
    )
    return held if product == held else replace(product, version=held.version + 1)


def given(row: Row) -> dict[str, str]:
    """Return the attributes of a row; a blank cell means none."""
    return {name: value for name, value in row.attributes.items() if value}
