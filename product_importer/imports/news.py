"""Tell that imports have begun, moved or ended, and what has become of a list since it was loaded."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from product_importer.imports import service
from product_importer.imports.models import ImportStatus, UndoStatus
from product_importer.imports.schemas import COUNTS, ImportPage, ImportQuery, ImportRead

Stamp = tuple[Any, ...]

# Few imports are active. Each part reads an index: counting all imports at each look would take longer.
STAMP = text(f"""
SELECT (SELECT max(created_at) FROM import_job) AS newest,
    (SELECT md5(string_agg(concat_ws(' ', id, status, phase, rows_read, {", ".join(COUNTS)}), ',' ORDER BY id))
        FROM import_job WHERE status IN ('{ImportStatus.PENDING}', '{ImportStatus.PROCESSING}')) AS active,
    (SELECT md5(string_agg(id::text, ',' ORDER BY id))
        FROM import_job WHERE undo_status = '{UndoStatus.PENDING}') AS being_undone
""")


@dataclass(frozen=True)
class Look:
    """A page of the history as it is now, and the imports that somebody sees which are not on it any more."""

    page: ImportPage
    others: list[ImportRead]


def stamp(session: Session) -> Stamp:
    """Return what is another value when an import has begun, moved, ended, or was undone."""
    return tuple(session.execute(STAMP).one())


def look(session: Session, query: ImportQuery, seen: Collection[UUID]) -> Look:
    """Return the page that `query` asks for, and what has become of the imports that were `seen` on it."""
    page = service.list_imports(session, query)
    return Look(page, service.find_imports(session, set(seen) - {job.id for job in page.items}))
