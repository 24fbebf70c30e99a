"""Record an event for each product that a range writes, for webhooks that want each."""

import time
from uuid import UUID

import pyarrow as pa
from psycopg2.extensions import cursor as PgCursor

from product_importer.core.messages import PRODUCT_MESSAGES
from product_importer.core.outbox import EventType
from product_importer.imports.pipeline import copy_text
from product_importer.imports.pipeline.numbered_ids import numbered


def record(cursor: PgCursor, job_id: UUID, created: pa.Table, changed: pa.Table) -> None:
    """Record the events inside the caller's transaction; their ids rise with the lines.

    Both have the columns `line`, `id`, `sku`, `name` and `version`, those of the product as it is now.
    """
    columns = ["line", "id", "sku", "name", "version"]
    now = round(time.time(), 3)
    written = [(EventType.PRODUCT_CREATED, row) for row in created.select(columns).to_pylist()]
    written += [(EventType.PRODUCT_UPDATED, row) for row in changed.select(columns).to_pylist()]
    written.sort(key=lambda event: event[1]["line"])
    payloads = [
        PRODUCT_MESSAGES[kind](
            event_type=kind, product_id=row["id"], sku=row["sku"], name=row["name"], timestamp=now
        ).model_dump_json()
        for kind, row in written
    ]
    events = {
        "id": numbered(job_id, [row["line"] for _, row in written]),
        "event_type": pa.array([kind.value for kind, _ in written], pa.string()),
        "payload": pa.array(payloads, pa.string()),
        "version": pa.array([row["version"] for _, row in written], pa.int32()),
        "batch_id": pa.array([str(job_id)] * len(written), pa.string()),
    }
    copy_text.copy(cursor, "event", events)
