"""Count the rejected rows of an ended import by reason: reading them all later would take seconds."""

from typing import Any

from sqlalchemy import func, insert, literal, select
from sqlmodel import Session, col, delete

from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.models import ImportRejectCount, ImportRowError, ImportStatus


def store(session: Session, job: dict[str, Any]) -> None:
    """Store the counts of an import, in the transaction that ends it; those of an earlier end are replaced.

    A dry run has none: it is not known yet whether its rows will be imported.
    """
    session.execute(delete(ImportRejectCount).where(col(ImportRejectCount.job_id) == job["id"]))
    if not job["rejected"] or job["status"] == ImportStatus.PREVIEWED:
        return
    code = col(ImportRowError.code)
    counted = (
        select(literal(job["id"]), code, func.count(), literal(job["finished_at"]))
        .where(col(ImportRowError.job_id) == job["id"], code != RowErrorCode.DUPLICATE)
        .group_by(code)
    )
    session.execute(insert(ImportRejectCount).from_select(["job_id", "code", "number", "ended_at"], counted))
