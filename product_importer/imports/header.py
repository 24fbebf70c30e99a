"""Which column of a file fills which field of a product."""

import difflib
from dataclasses import dataclass

from product_importer.catalog.guard import unguard
from product_importer.core.errors import Invalid

REQUIRED = ("sku", "name", "description")
FIELDS = (*REQUIRED, "active")

# What the file of rejected rows adds to the file's own columns: corrected, it is uploaded as it is.
REJECT_COLUMNS = ("_line", "_code", "_reason")
IGNORED = "ignored"


@dataclass(frozen=True)
class Header:
    """A file's column names, and for each the product field it fills: "" for an attribute, or `IGNORED`."""

    names: tuple[str, ...]
    fields: tuple[str, ...]

    def position(self, field: str) -> int | None:
        """Return the column that fills `field`, or None."""
        return self.fields.index(field) if field in self.fields else None

    @property
    def attributes(self) -> dict[int, str]:
        """The columns that become attributes: position to the attribute's name, each name once."""
        named: dict[int, str] = {}
        for position, field in enumerate(self.fields):
            if not field:
                name = unguard(self.names[position]).strip() or f"column {position + 1}"
                named[position] = _unused(name, named.values())
        return named


def match(names: list[str]) -> Header:
    """Match a file's column names with the fields of a product: any case, any order, any extras.

    Raises:
        Invalid: a required column is missing or stands there twice; `invalid-csv-header`.
    """
    names = [name.strip() for name in names]
    fields = [_field(name.casefold()) for name in names]
    missing = [field for field in REQUIRED if field not in fields]
    if missing:
        raise _refusal(f"The first line has no column {_listed(missing)}.", names, missing)
    twice = [field for field in FIELDS if fields.count(field) > 1]
    if twice:
        raise _refusal(f"The first line has more than one column {_listed(twice)}.", names, [])
    return Header(tuple(names), tuple(fields))


def _field(name: str) -> str:
    if name in REJECT_COLUMNS:
        return IGNORED
    return name if name in FIELDS else ""


def _refusal(problem: str, names: list[str], missing: list[str]) -> Invalid:
    found = ", ".join(name or "(empty)" for name in names[:20]) + (", …" if len(names) > 20 else "")
    return Invalid(
        f"{problem} It has: {found}. Needed are sku, name and description, in any case and order.",
        kind="invalid-csv-header",
        title="The file's header is not that of a product catalogue",
        missing=missing,
        found=names,
        suggestions=_suggestions(names, missing),
    )


def _suggestions(names: list[str], missing: list[str]) -> dict[str, str]:
    """Return for each missing field the file's column that was probably meant, where one is near."""
    by_words = {" ".join(name.casefold().replace("_", " ").split()): name for name in names if name}
    suggested = {}
    for field in missing:
        near = [words for words in by_words if field in words.split()]
        near += difflib.get_close_matches(field, list(by_words), n=1, cutoff=0.7)
        if near:
            suggested[field] = by_words[near[0]]
    return suggested


def _unused(name: str, taken) -> str:  # type: ignore[no-untyped-def]
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name} ({number})"
    return candidate


def _listed(fields: list[str]) -> str:
    return " and ".join([", ".join(fields[:-1]), fields[-1]] if len(fields) > 1 else fields)
