"""Store the edits of rows as patches by line, within limits."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from product_importer.core.errors import Unprocessable
from product_importer.imports.models import ImportRowPatch
from product_importer.imports.pipeline.row_edits import RowPatch

# Of one import. A worker holds all of them in memory.
MAX_PATCHES = 50_000
MAX_CHARACTERS = 16 * 1024 * 1024
NO_PATCH = RowPatch({})


def find(session: Session, job_id: UUID, lines: Sequence[int] | None = None) -> dict[int, RowPatch]:
    """Return the patches of an import by line, in their order: of these lines, or all."""
    found = select(ImportRowPatch).where(ImportRowPatch.job_id == job_id).order_by(col(ImportRowPatch.line))
    if lines is not None:
        found = found.where(col(ImportRowPatch.line).in_(lines))
    return {patch.line: RowPatch(patch.cells, patch.is_skipped) for patch in session.scalars(found)}


def merged(patch: RowPatch, cells: Mapping[str, str | None], skip: bool | None) -> RowPatch:
    """Return a patch with further edits: a value of None takes one back."""
    values = {name: value for name, value in {**patch.cells, **cells}.items() if value is not None}
    return RowPatch(values, patch.is_skipped if skip is None else skip)


def store(session: Session, job_id: UUID, patches: Mapping[int, RowPatch]) -> None:
    """Store patches by line, in place of earlier ones.

    Raises:
        Unprocessable: the import would have more than `MAX_PATCHES` patches, or more than `MAX_CHARACTERS` in them.
    """
    if not patches:
        return
    statement = insert(ImportRowPatch)
    changed = {name: statement.excluded[name] for name in ("cells", "characters", "is_skipped")}
    session.connection().execute(
        statement.on_conflict_do_update(index_elements=["job_id", "line"], set_=changed),
        [_row(job_id, line, patch) for line, patch in patches.items()],
    )
    _check_limits(session, job_id)


def copy(session: Session, job_id: UUID, to_job_id: UUID) -> int:
    """Copy the patches of one import to another one, and return their number."""
    patches = find(session, job_id)
    store(session, to_job_id, patches)
    return len(patches)


def count_characters(cells: Iterable[str]) -> int:
    """Return how many characters the values have."""
    return sum(map(len, cells))


def _row(job_id: UUID, line: int, patch: RowPatch) -> dict[str, object]:
    characters = count_characters((*patch.cells, *patch.cells.values()))
    return {
        "job_id": job_id,
        "line": line,
        "cells": dict(patch.cells),
        "characters": characters,
        "is_skipped": patch.is_skipped,
    }


def _check_limits(session: Session, job_id: UUID) -> None:
    totals = select(func.count(), func.coalesce(func.sum(ImportRowPatch.characters), 0))
    count, characters = session.execute(totals.where(col(ImportRowPatch.job_id) == job_id)).one()
    if count > MAX_PATCHES:
        raise Unprocessable(
            f"An import has at most {MAX_PATCHES:,} edited rows, and this would make {count:,}. Correct the file "
            "itself, and upload it again."
        )
    if characters > MAX_CHARACTERS:
        raise Unprocessable(
            f"The edited cells of an import have at most {MAX_CHARACTERS:,} characters together, and this would make "
            f"{characters:,}. Correct the file itself, and upload it again."
        )
