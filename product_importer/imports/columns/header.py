"""Match a file's columns to product fields: by a mapping, or by their names."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from product_importer.core.csv_injection import unescape
from product_importer.core.edges import trim
from product_importer.core.errors import Invalid, Unprocessable
from product_importer.core.problem_types import ProblemType
from product_importer.imports.columns.attribute_names import UniqueNames, chosen_name, is_attribute
from product_importer.imports.columns.continuations import count_continuations
from product_importer.imports.columns.suggestions import suggest
from product_importer.imports.options import ATTRIBUTE, IGNORE

REQUIRED = ("sku", "name", "description")
FIELDS = (*REQUIRED, "active")
# Even an empty column costs time in every row.
MAX_COLUMNS = 2_000

# The columns that a CSV of rejected rows adds; they are ignored when the corrected CSV is uploaded.
REJECT_COLUMNS = ("_line", "_code", "_reason")
IGNORED = "ignored"
# What follows the reason in the error of a header.
FOUND = " Columns found: "

# A mapping's other targets, as `Header.fields` holds them; a product field stays as it is.
TARGETS = {ATTRIBUTE: "", IGNORE: IGNORED}


@dataclass(frozen=True)
class Header:
    """A file's column names, and the product field of each.

    It is "" for an attribute with the column's name, `attribute:NAME` for one with another name, and `IGNORED` for
    none.
    """

    names: tuple[str, ...]
    fields: tuple[str, ...]

    def position(self, field: str) -> int | None:
        """Return the column that fills `field`, or None."""
        return self.fields.index(field) if field in self.fields else None

    @cached_property
    def attributes(self) -> dict[int, str]:
        """The attributes' unique names by the positions of their columns.

        Names that an import reads otherwise get a number: an export of the attribute can then be imported again.
        """
        names = UniqueNames(filter(None, map(chosen_name, self.fields)))
        return {
            position: chosen_name(field) or names.add(own_name(self.names[position], position))
            for position, field in enumerate(self.fields)
            if is_attribute(field)
        }


class HeaderError(Invalid):
    """A file's columns do not suffice.

    `continuations` counts for each column the rows that continue the product above if this column is the name, in a
    sample of `sample_rows`.
    """

    def __init__(self, detail: str, continuations: Mapping[str, int], sample_rows: int, **extra: Any):
        super().__init__(detail, **extra)
        self.continuations = continuations
        self.sample_rows = sample_rows


def match(
    names: Sequence[str], columns: Mapping[str, str] | None = None, sample: Sequence[Sequence[str]] = ()
) -> Header:
    """Match a file's column names to product fields, in any case and order; other columns become attributes.

    `columns` maps column names to `options.Target`; a mapped column wins over one that has a field's name. Columns
    that are not mapped are matched by name. `sample` are rows of the file, for better suggestions.

    Raises:
        Unprocessable: `columns` names a column that the file does not have, or one field twice.
        Invalid: a required column is missing or is there twice, `invalid-csv-header`; or `too-many-columns`.
    """
    check_column_count(names)
    names = list(map(trim, names))
    folded = list(map(fold, names))
    mapped = _mapped_fields(folded, columns or {})
    taken = frozenset(mapped.values())
    fields = [mapped[name] if name in mapped else _field_by_name(name, taken) for name in folded]
    _refuse_taken_names(names, fields)
    missing = [field for field in REQUIRED if field not in fields]
    if missing:
        # Columns that are mapped or fill a field by name are not suggested for another.
        free = ["" if fields[at] or folded[at] in mapped else name for at, name in enumerate(names)]
        wanted = [field for field in FIELDS if field not in fields]
        suggestions = suggest(free, sample, wanted)
        raise _header_error(f"Missing columns: {', '.join(missing)}.", names, sample, missing, suggestions)
    twice = [field for field in FIELDS if fields.count(field) > 1]
    if twice:
        raise _header_error(f"The first line has more than one column {enumerated(twice)}.", names, sample)
    return Header(tuple(names), tuple(fields))


def check_column_count(names: Sequence[str]) -> None:
    """Refuse a file of too many columns.

    Raises:
        Invalid: there are more than `MAX_COLUMNS`; `too-many-columns`.
    """
    if len(names) > MAX_COLUMNS:
        raise Invalid(
            f"The first line has {len(names):,} columns; at most {MAX_COLUMNS:,} are read. "
            "Remove those that are not needed, or check the delimiter.",
            kind=ProblemType.TOO_MANY_COLUMNS,
            title="The file has too many columns",
        )


def matches_by_name(names: Sequence[str]) -> bool:
    """Whether a file's columns can be matched by name alone."""
    found = Counter(fold(name) for name in names)
    return all(found[field] == 1 for field in REQUIRED) and found["active"] <= 1


def is_rejects_file(names: Sequence[str]) -> bool:
    """Whether a file is a CSV of rejected rows, as `rejected_rows` writes it."""
    return set(REJECT_COLUMNS) <= set(map(fold, names))


def fold(name: str) -> str:
    """Return a column name for comparison: trimmed, without case and the escape that a rejects CSV adds."""
    return trim(unescape(trim(name))).casefold()


def own_name(name: str, position: int) -> str:
    """Return the name of a column's attribute where no other one is chosen."""
    return trim(unescape(name)) or default_name(position)


def default_name(position: int) -> str:
    """Return the name given to an unnamed column."""
    return f"column {position + 1}"


def enumerated(words: Sequence[str]) -> str:
    """Return words as a sentence lists them: `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _mapped_fields(names: list[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of the mapped columns by their folded names, as `Header.fields` holds them.

    Raises:
        Unprocessable: a column does not exist, or a field is mapped twice; `errors` names each.
    """
    found, named, targets = Counter(names), Counter(map(fold, columns)), Counter(columns.values())

    def error_of(name: str, target: str) -> str | None:
        if name not in found:
            return "The file has no such column"
        if named[name] > 1:
            return "The column is named twice"
        if name in REJECT_COLUMNS and target != IGNORE:
            return "This column of a file of rejected rows is never imported"
        if target in FIELDS and (targets[target] > 1 or found[name] > 1):
            return f"Only one column can be the {target}"
        return None

    messages = {f"columns.{name}": error_of(fold(name), target) for name, target in columns.items()}
    _refuse([{"field": field, "message": message} for field, message in messages.items() if message])
    return {fold(name): TARGETS.get(target, target) for name, target in columns.items()}


def _refuse_taken_names(names: Sequence[str], fields: Sequence[str]) -> None:
    """Refuse a chosen name that another column's attribute has.

    Raises:
        Unprocessable: `errors` names each column of such a name.
    """
    attributes = [
        (name, chosen_name(field), chosen_name(field) or own_name(name, position))
        for position, (name, field) in enumerate(zip(names, fields, strict=True))
        if is_attribute(field)
    ]
    found = Counter(attribute for _, _, attribute in attributes)
    errors = [
        {
            "field": f"columns.{name}",
            "message": f"Another column becomes the attribute “{chosen}”, too. Choose another name for one of them",
        }
        for name, chosen, _ in attributes
        if chosen and found[chosen] > 1
    ]
    _refuse(errors)


def _refuse(errors: list[dict[str, str]]) -> None:
    if errors:
        raise Unprocessable(
            "; ".join(f"{error['field']}: {error['message']}" for error in errors[:20]), errors=errors
        )


def _field_by_name(name: str, taken: frozenset[str]) -> str:
    """Return the field that a column fills by its name, unless another column is mapped to that field."""
    if name in REJECT_COLUMNS:
        return IGNORED
    return name if name in FIELDS and name not in taken else ""


def _header_error(
    reason: str,
    names: list[str],
    sample: Sequence[Sequence[str]],
    missing: Sequence[str] = (),
    suggestions: Mapping[str, str] | None = None,
) -> HeaderError:
    found = ", ".join(name or "(empty)" for name in names[:20]) + (", …" if len(names) > 20 else "")
    return HeaderError(
        f"{reason}{FOUND}{found}. The columns sku, name and description are required, in any case and "
        "order; columns with other names can be mapped to them.",
        count_continuations(names, sample) if missing else {},
        len(sample),
        kind=ProblemType.INVALID_CSV_HEADER,
        title="The file's header is not that of a product catalogue",
        missing=list(missing),
        found=names,
        suggestions=dict(suggestions or {}),
    )
