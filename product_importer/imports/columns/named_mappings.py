"""Keep column mappings under names, and apply one that is chosen to the columns of a file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from product_importer.catalog.schemas import is_storable
from product_importer.core.edges import trim
from product_importer.core.errors import MAX_FIELD_ERRORS, Conflict, NotFound, Unprocessable, invalid_fields
from product_importer.imports.columns.header import FIELDS, MAX_COLUMNS, REJECT_COLUMNS, fold
from product_importer.imports.models import NamedMapping
from product_importer.imports.options import parse

MAX_MAPPINGS = 200
MAX_NAME = 100
# Two people who save at once could exceed the maximum; readers do not wait.
LOCK = text("LOCK TABLE import_named_mapping IN SHARE ROW EXCLUSIVE MODE")


@dataclass(frozen=True)
class Applied:
    """A mapping as it fits a file: `columns` as in `ImportOptions`, and `missing`, which the file does not have."""

    columns: dict[str, str]
    missing: list[str]


def list_mappings(session: Session) -> list[NamedMapping]:
    """Return all mappings in the order of their names without case."""
    return list(session.scalars(select(NamedMapping).order_by(col(NamedMapping.name_key))))


def find_mapping(session: Session, name: str) -> NamedMapping:
    """Return the mapping of this name, in any case.

    Raises:
        NotFound: there is none.
    """
    found = session.get(NamedMapping, _key(name)) if is_storable(name) else None
    if found is None:
        raise NotFound("There is no column mapping of this name. Somebody may have deleted it.")
    return found


def save_mapping(session: Session, name: str, columns: Mapping[str, str]) -> NamedMapping:
    """Save the targets of columns, as in `ImportOptions.columns`, under a name; replace what had that name.

    Raises:
        Unprocessable: the name or the columns are not possible; `errors` says why.
        Conflict: `MAX_MAPPINGS` are saved already.
    """
    name, columns = _checked_name(name), _checked_columns(columns)
    session.execute(LOCK)
    saved = session.get(NamedMapping, _key(name))
    if saved is None:
        _check_room(session)
        saved = NamedMapping(name_key=_key(name), name=name, columns=columns)
    saved.name, saved.columns, saved.updated_at = name, columns, session.scalar(select(func.now()))
    session.add(saved)
    session.flush()
    return saved


def delete_mapping(session: Session, name: str) -> None:
    """Delete the mapping of this name.

    Raises:
        NotFound: there is none.
    """
    session.delete(find_mapping(session, name))
    session.flush()


def apply_mapping(columns: Mapping[str, str], names: Sequence[str]) -> Applied:
    """Return what a mapping says about a file with columns of these names; they are compared as a header's are."""
    targets = {fold(column): target for column, target in columns.items()}
    found = {fold(name): trim(name) for name in names}
    return Applied(
        {name: targets[folded] for folded, name in found.items() if folded in targets},
        [column for column in columns if fold(column) not in found],
    )


def _key(name: str) -> str:
    return trim(name).casefold()


def _checked_name(name: str) -> str:
    name = trim(name)
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise _invalid("name", f"Give the mapping a name of 1 to {MAX_NAME} visible characters.")
    return name


def _checked_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """Return the columns that a mapping keeps: those of a file of rejected rows are never imported.

    Raises:
        Unprocessable: there are none or too many, or a column or a target is not possible.
    """
    own = {name: target for name, target in columns.items() if fold(name) not in REJECT_COLUMNS}
    if not 1 <= len(own) <= MAX_COLUMNS:
        raise _invalid("columns", f"A mapping has 1 to {MAX_COLUMNS:,} columns; this one has {len(own):,}.")
    checked: dict[str, str] = dict(parse({"columns": own}).columns or {})
    if errors := _errors(checked):
        raise invalid_fields(errors[:MAX_FIELD_ERRORS])
    return {trim(name): target for name, target in checked.items()}


def _errors(columns: Mapping[str, str]) -> list[dict[str, str]]:
    """Say which columns no file could be imported with, and why."""
    named, targets = Counter(map(fold, columns)), Counter(columns.values())

    def error_of(name: str, target: str) -> str | None:
        if not is_storable(name + target):
            return "Text cannot hold a NUL character or half of a surrogate pair"
        if named[fold(name)] > 1:
            return "The column is named twice"
        return f"Only one column can be the {target}" if target in FIELDS and targets[target] > 1 else None

    messages = {f"columns.{trim(name)}": error_of(name, target) for name, target in columns.items()}
    return [{"field": field, "message": message} for field, message in messages.items() if message]


def _check_room(session: Session) -> None:
    if (session.scalar(select(func.count()).select_from(NamedMapping)) or 0) >= MAX_MAPPINGS:
        raise Conflict(f"There are {MAX_MAPPINGS} column mappings already. Delete one, or save under its name.")


def _invalid(field: str, message: str) -> Unprocessable:
    return Unprocessable(message, errors=[{"field": field, "message": message}])
