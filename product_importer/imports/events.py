"""Record what happens to an import or an action: for webhooks its end, and who did it."""

import time
from typing import Any

from sqlmodel import Session

from product_importer.access import audit
from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.principal import Principal
from product_importer.catalog import events as product_events
from product_importer.core import outbox
from product_importer.core.messages import IMPORT_MESSAGES, ImportCounts
from product_importer.core.outbox import EventType
from product_importer.imports import reject_counts
from product_importer.imports.action_schemas import ActionKind
from product_importer.imports.models import ImportJob, ImportStatus
from product_importer.imports.schemas import COUNTS

EVENT_TYPES = {
    ImportStatus.COMPLETED: EventType.IMPORT_COMPLETED,
    ImportStatus.FAILED: EventType.IMPORT_FAILED,
}


def record_action(session: Session, action: AuditAction, job: ImportJob, **details: Any) -> None:
    """Record what the current principal does to an import."""
    audit.record(session, action, ObjectKind.IMPORT, job.id, job.filename, details=details or None)


def record_end(session: Session, job: dict[str, Any]) -> None:
    """Record the end of an import or an action, in the transaction that ends it, as done by who started it.

    Webhooks get one event, but none for a cancelled import. Also release the events of the import's products, and
    count its rejected rows. Of an action that deletes, webhooks get how many products were deleted, also if it was
    cancelled.
    """
    reject_counts.store(session, job)
    names = COUNTS if job["action"] is None else ("updated", "unchanged", "deleted")
    counts = {"total": job["total_rows"], **{count: job[count] for count in names}}
    audit.record(
        session,
        AuditAction.IMPORT_ENDED if job["action"] is None else AuditAction.PRODUCTS_ACTION_ENDED,
        ObjectKind.IMPORT,
        job["id"],
        job["filename"],
        details={"status": job["status"], "error": job["error_code"], "counts": counts},
        by=Principal.of_stored(job["started_by"]),
    )
    outbox.release_batch(session, job["id"])
    if job["deleted"]:
        product_events.record_many_deleted(session, job["deleted"])
    event_type = EVENT_TYPES.get(job["status"])
    if event_type is not None and not _is_told_already(job):
        _record_summary(session, event_type, job)


def _is_told_already(job: dict[str, Any]) -> bool:
    """Whether the number of deleted products says all of an action's end."""
    kind = (job["action"] or {}).get("kind")
    return kind == ActionKind.DELETE and job["status"] == ImportStatus.COMPLETED


def _record_summary(session: Session, event_type: EventType, job: dict[str, Any]) -> None:
    message = IMPORT_MESSAGES[event_type](
        event_type=event_type,
        job_id=job["id"],
        filename=job["filename"],
        status=job["status"],
        counts=ImportCounts(total=job["total_rows"], **{count: job[count] for count in COUNTS}),
        timestamp=time.time(),
    )
    outbox.record(session, event_type, message)
