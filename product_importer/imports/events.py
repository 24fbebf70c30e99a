"""Record the webhook event of an import's end."""

import time
from typing import Any

from sqlmodel import Session

from product_importer.core import outbox
from product_importer.core.messages import IMPORT_MESSAGES, ImportCounts
from product_importer.core.outbox import EventType
from product_importer.imports.models import ImportStatus
from product_importer.imports.schemas import COUNTS

EVENT_TYPES = {
    ImportStatus.COMPLETED: EventType.IMPORT_COMPLETED,
    ImportStatus.FAILED: EventType.IMPORT_FAILED,
}


def record_end(session: Session, job: dict[str, Any]) -> None:
    """Record the one event of an import's end, in the transaction that ends it; a cancelled import has none.

    Also release the events of the import's products.
    """
    outbox.release_batch(session, job["id"])
    event_type = EVENT_TYPES.get(job["status"])
    if event_type is None:
        return
    message = IMPORT_MESSAGES[event_type](
        event_type=event_type,
        job_id=job["id"],
        filename=job["filename"],
        status=job["status"],
        counts=ImportCounts(total=job["total_rows"], **{count: job[count] for count in COUNTS}),
        timestamp=time.time(),
    )
    outbox.record(session, event_type, message)
