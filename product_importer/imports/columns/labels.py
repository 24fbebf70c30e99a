"""The names under which rows show their cells, and by which edits name them."""

from product_importer.core.edges import trim
from product_importer.imports.columns.attribute_names import is_attribute
from product_importer.imports.columns.header import IGNORED, Header, default_name


def labels(header: Header) -> dict[str, int]:
    """Return the positions of the imported columns by their names in the file; an attribute's name is unique."""
    positions: dict[str, int] = {}
    for position, field in enumerate(header.fields):
        if field != IGNORED:
            name = header.attributes[position] if is_attribute(field) else trim(header.names[position])
            positions.setdefault(name or default_name(position), position)
    return positions
