"""Which column of a file fills which field of a product."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from product_importer.catalog.csv_injection import unescape
from product_importer.catalog.schemas import RESERVED
from product_importer.core.errors import Invalid, Unprocessable
from product_importer.imports.columns.suggestions import suggest
from product_importer.imports.options import ATTRIBUTE, IGNORE

REQUIRED = ("sku", "name", "description")
FIELDS = (*REQUIRED, "active")
# A column costs as much in every row, however empty it is.
MAX_COLUMNS = 2_000

# What the file of rejected rows adds to the file's own columns: corrected, it is uploaded as it is.
REJECT_COLUMNS = ("_line", "_code", "_reason")
IGNORED = "ignored"

# What a mapping says of a column, as `Header.fields` has it; a product's field is itself.
TARGETS = {ATTRIBUTE: "", IGNORE: IGNORED}


@dataclass(frozen=True)
class Header:
    """A file's column names, and for each the product field it fills: "" for an attribute, or `IGNORED`."""

    names: tuple[str, ...]
    fields: tuple[str, ...]

    def position(self, field: str) -> int | None:
        """Return the column that fills `field`, or None."""
        return self.fields.index(field) if field in self.fields else None

    @cached_property
    def attributes(self) -> dict[int, str]:
        """The columns that become attributes: position to the attribute's name, each name once.

        No attribute bears a name that an import reads otherwise: an export of it could not be imported again.
        """
        distinct = _Distinct()
        return {
            position: distinct.named(unescape(self.names[position]).strip() or unnamed(position))
            for position, field in enumerate(self.fields)
            if not field
        }


def match(
    names: Sequence[str], columns: Mapping[str, str] | None = None, sample: Sequence[Sequence[str]] = ()
) -> Header:
    """Match a file's column names with the fields of a product: any case, any order, any extras.

    `columns` says of some what they are, as `choices.Target` has it; they win over those that merely have a
    field's name. The others go by their names. `sample` are rows of the file, for better suggestions.

    Raises:
        Unprocessable: `columns` names what the file does not have, or one field twice.
        Invalid: a required column is missing or stands there twice, `invalid-csv-header`; or `too-many-columns`.
    """
    check_count(names)
    names = [name.strip() for name in names]
    folded = list(map(fold, names))
    chosen = _chosen(folded, columns or {})
    taken = frozenset(chosen.values())
    fields = [chosen[name] if name in chosen else _by_name(name, taken) for name in folded]
    missing = [field for field in REQUIRED if field not in fields]
    if missing:
        # What is mapped, or fills a field by its name, is meant as it is.
        free = ["" if fields[at] or folded[at] in chosen else name for at, name in enumerate(names)]
        wanted = [field for field in FIELDS if field not in fields]
        near = suggest(free, sample, wanted)
        raise _refusal(f"The first line has no column {_listed(missing)}.", names, missing, near)
    twice = [field for field in FIELDS if fields.count(field) > 1]
    if twice:
        raise _refusal(f"The first line has more than one column {_listed(twice)}.", names, [], {})
    return Header(tuple(names), tuple(fields))


def check_count(names: Sequence[str]) -> None:
    """Refuse a file of too many columns.

    Raises:
        Invalid: there are more than `MAX_COLUMNS`; `too-many-columns`.
    """
    if len(names) > MAX_COLUMNS:
        raise Invalid(
            f"The first line has {len(names):,} columns; at most {MAX_COLUMNS:,} are read. "
            "Leave out those that are not needed, or check the delimiter.",
            kind="too-many-columns",
            title="The file has too many columns",
        )


def matches_by_name(names: Sequence[str]) -> bool:
    """Whether a file's columns go by their names."""
    found = Counter(fold(name) for name in names)
    return all(found[field] == 1 for field in REQUIRED) and found["active"] <= 1


def is_of_rejects(names: Sequence[str]) -> bool:
    """Whether a file is one of rejected rows, as `rejects` writes it."""
    return set(REJECT_COLUMNS) <= set(map(fold, names))


def refuse_hopeless(names: Sequence[str]) -> None:
    """Refuse column names that no mapping can make those of a catalogue.

    Raises:
        Invalid: there are fewer of them than are needed; `invalid-csv-header`.
    """
    if sum(fold(name) not in REJECT_COLUMNS for name in names) < len(REQUIRED):
        match(names)


def fold(name: str) -> str:
    """Return what makes two columns' names the same, such as a name and its guarded cell in a file of rejects."""
    return unescape(name.strip()).strip().casefold()


def unnamed(position: int) -> str:
    """Return the name of a column that has none."""
    return f"column {position + 1}"


def _chosen(names: list[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Return what the columns that `columns` names are, by their folded names, as `Header.fields` has it.

    Raises:
        Unprocessable: there is no such column, or two are to fill one field; each is named.
    """
    found, named, targets = Counter(names), Counter(map(fold, columns)), Counter(columns.values())

    def fault(name: str, target: str) -> str | None:
        if name not in found:
            return "The file has no such column"
        if named[name] > 1:
            return "The column is named twice"
        if name in REJECT_COLUMNS and target != IGNORE:
            return "This column of a file of rejected rows is never imported"
        if target in FIELDS and (targets[target] > 1 or found[name] > 1):
            return f"Only one column can be the {target}"
        return None

    faults = {f"columns.{name}": fault(fold(name), target) for name, target in columns.items()}
    errors = [{"field": field, "message": message} for field, message in faults.items() if message]
    if errors:
        raise Unprocessable(
            "; ".join(f"{error['field']}: {error['message']}" for error in errors[:20]), errors=errors
        )
    return {fold(name): TARGETS.get(target, target) for name, target in columns.items()}


def _by_name(name: str, taken: frozenset[str]) -> str:
    """Return the field that a column fills by its name, unless a mapping gives that field to another."""
    if name in REJECT_COLUMNS:
        return IGNORED
    return name if name in FIELDS and name not in taken else ""


def _refusal(problem: str, names: list[str], missing: list[str], suggestions: dict[str, str]) -> Invalid:
    found = ", ".join(name or "(empty)" for name in names[:20]) + (", …" if len(names) > 20 else "")
    return Invalid(
        f"{problem} It has: {found}. Needed are sku, name and description, in any case and order; "
        "columns with other names can be mapped to them.",
        kind="invalid-csv-header",
        title="The file's header is not that of a product catalogue",
        missing=missing,
        found=names,
        suggestions=suggestions,
    )


class _Distinct:
    """Gives each name once: what stands there already, or has a meaning of its own, gets the next free number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}

    def named(self, name: str) -> str:
        number = self._numbers.get(name, 1)
        candidate = name if number == 1 else f"{name} ({number})"
        while candidate in self._taken or candidate.casefold() in RESERVED:
            number += 1
            candidate = f"{name} ({number})"
        self._taken.add(candidate)
        self._numbers[name] = number
        return candidate


def _listed(fields: list[str]) -> str:
    return " and ".join([", ".join(fields[:-1]), fields[-1]] if len(fields) > 1 else fields)
