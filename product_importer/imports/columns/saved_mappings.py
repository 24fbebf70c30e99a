"""What was said of a file's columns, remembered for the next file that has the same ones."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete

from product_importer.imports.columns.header import REJECT_COLUMNS, fold, is_of_rejects, matches_by_name
from product_importer.imports.models import ImportMapping


def recall(session: Session, names: Sequence[str]) -> dict[str, str] | None:
    """Return what the columns of these names are, as it was last accepted; None where they go by their names.

    A header that matches by itself is read by its names. Only one of rejected rows is read as the file that they
    come from: corrected, they must become the products that they would have been.
    """
    if matches_by_name(names) and not is_of_rejects(names):
        return None
    found = session.get(ImportMapping, header_key(names))
    return None if found is None else dict(found.columns)


def remember(session: Session, names: Sequence[str], columns: Mapping[str, str] | None) -> None:
    """Keep what was accepted for a file with columns of these names; None forgets what was kept before."""
    key = header_key(names)
    if not columns:
        session.execute(delete(ImportMapping).where(col(ImportMapping.header_key) == key))
        return
    kept = {name: target for name, target in columns.items() if fold(name) not in REJECT_COLUMNS}
    written = insert(ImportMapping).values(header_key=key, columns=kept)
    session.execute(
        written.on_conflict_do_update(
            index_elements=[col(ImportMapping.header_key)],
            set_={"columns": written.excluded.columns, "accepted_at": func.now()},
        )
    )


def header_key(names: Sequence[str]) -> str:
    """Return what files with the same columns have in common: in any order and case, rejected rows or not."""
    own = sorted(folded for name in names if (folded := fold(name)) not in REJECT_COLUMNS)
    return hashlib.sha256(json.dumps(own).encode()).hexdigest()
