"""Save the column mapping of an accepted file, and find it for the next file with the same columns."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete

from product_importer.imports.columns.header import REJECT_COLUMNS, fold, is_rejects_file, matches_by_name
from product_importer.imports.models import ImportMapping


def find(session: Session, names: Sequence[str]) -> dict[str, str] | None:
    """Return the saved mapping of these columns; None where there is none, or the names match by themselves.

    A CSV of rejected rows uses the mapping of its original file in any case: corrected rows must become the products
    that they would have been.
    """
    if matches_by_name(names) and not is_rejects_file(names):
        return None
    saved = session.get(ImportMapping, header_key(names))
    return None if saved is None else dict(saved.columns)


def save(session: Session, names: Sequence[str], columns: Mapping[str, str] | None) -> None:
    """Save the mapping of a file with these columns; without a mapping, delete the saved one."""
    key = header_key(names)
    if not columns:
        session.execute(delete(ImportMapping).where(col(ImportMapping.header_key) == key))
        return
    own = {name: target for name, target in columns.items() if fold(name) not in REJECT_COLUMNS}
    inserted = insert(ImportMapping).values(header_key=key, columns=own)
    session.execute(
        inserted.on_conflict_do_update(
            index_elements=[col(ImportMapping.header_key)],
            set_={"columns": inserted.excluded.columns, "accepted_at": func.now()},
        )
    )


def header_key(names: Sequence[str]) -> str:
    """Return the key of a set of columns: equal in any order and case, and with or without the reject columns."""
    own = sorted(folded for name in names if (folded := fold(name)) not in REJECT_COLUMNS)
    return hashlib.sha256(json.dumps(own).encode()).hexdigest()
