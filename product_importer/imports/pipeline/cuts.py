"""Cut an import into ranges of keys, and store the cuts: whoever goes on with the import must cut it the same way."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

import pyarrow as pa
from psycopg2.extensions import connection as PgConnection

from product_importer.core.ids import range_first_number
from product_importer.core.settings import settings
from product_importer.imports.pipeline import copy_text
from product_importer.imports.pipeline.spool import Sample

# Wide rows are bounded by bytes: memory holds a range several times.
MAX_RANGE_BYTES = 16 * 1024 * 1024

IS_CUT = "SELECT EXISTS (SELECT FROM import_range WHERE job_id = %(job_id)s)"
DELETE = "DELETE FROM import_range WHERE job_id = %(job_id)s"


@dataclass(frozen=True)
class KeyRange:
    """The keys greater than `after` and at most `last`; None is the end.

    `first_number` is the number of the first new product's id; None numbers them by line.
    """

    number: int
    after: str
    last: str | None
    first_number: int | None


# A small import has one range, which is not stored.
WHOLE = KeyRange(0, "", None, range_first_number(0, 1))


def cut(sample: Sample) -> list[KeyRange]:
    """Return ranges of about `BATCH_SIZE` rows, or fewer if these are larger than `MAX_RANGE_BYTES`."""
    rows = min(settings().batch_size, int(MAX_RANGE_BYTES / max(1.0, sample.bytes_per_row)))
    count = max(1, min(round(sample.rows / max(1, rows)), len(sample.keys)))
    places = [len(sample.keys) * part // count for part in range(1, count)]
    # Many rows of one key can give the same end twice.
    ends = sorted(set(sample.keys.take(pa.array(places, pa.int64())).to_pylist()))
    return [
        KeyRange(number, after, last, range_first_number(number, len(ends) + 1))
        for number, (after, last) in enumerate(pairwise(["", *ends, None]))
    ]


def store(connection: PgConnection, job_id: UUID, ranges: Sequence[KeyRange]) -> None:
    """Store the ranges of an import inside the caller's transaction."""
    columns = {
        "job_id": pa.array([str(job_id)] * len(ranges)),
        "number": pa.array([one.number for one in ranges]),
        "last_key": pa.array([one.last for one in ranges], pa.string()),
        "first_number": pa.array([one.first_number for one in ranges], pa.int64()),
    }
    with connection.cursor() as cursor:
        copy_text.copy(cursor, "import_range", columns)


def are_stored(connection: PgConnection, job_id: UUID) -> bool:
    """Whether the ranges of an import are stored."""
    with connection.cursor() as cursor:
        cursor.execute(IS_CUT, {"job_id": str(job_id)})
        row = cursor.fetchone()
    return bool(row and row[0])


def delete(connection: PgConnection, job_id: UUID) -> None:
    """Delete the ranges of an import."""
    with connection.cursor() as cursor:
        cursor.execute(DELETE, {"job_id": str(job_id)})
