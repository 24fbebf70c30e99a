"""Make the keys of SKUs again: invisible characters at the edges of a SKU do not count any more.

Only keys change; SKUs stay as they were written, and so do versions. Rows that differ are rewritten in short
transactions, beside a running application. Where two SKUs become equal, a product that has the key already keeps it;
otherwise the oldest one takes it. The others keep theirs, and `sku_conflict` lists them for the command `doctor`.
"""

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import IntegrityError

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

PAGE_ROWS = 20_000
BATCH_ROWS = 500
# An import or an edit may take a key between the look and the write.
RETRIES = 5

# Default_Ignorable_Code_Point of Unicode 16.0.0, as `core/edges.py` had it when this was written.
INVISIBLE_RANGES = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
INVISIBLE = "".join(chr(code) for first, last in INVISIBLE_RANGES for code in range(first, last + 1))
SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))
CLASS = "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in INVISIBLE_RANGES)
# SKUs have no outer spaces, so the first or the last character is invisible where the key differs.
AT_AN_EDGE = f"^[{CLASS}]|[{CLASS}]$"

CANDIDATES = """
CREATE TEMPORARY TABLE sku_candidate (
    id uuid PRIMARY KEY, sku text NOT NULL, created_at timestamptz NOT NULL, sku_key text COLLATE "C" NOT NULL
) ON COMMIT DROP
"""
# Most SKUs are ASCII, which their length tells; the pattern is for the others.
PAGE = """
SELECT id, sku, sku_key, created_at, is_last FROM (
    SELECT id, sku, sku_key, created_at, row_number() OVER (ORDER BY id) = :size AS is_last
    FROM product WHERE id > :after ORDER BY id LIMIT :size
) AS page
WHERE is_last OR CASE WHEN octet_length(sku) > char_length(sku) THEN sku ~ :pattern ELSE false END
ORDER BY id
"""
ADD = """
INSERT INTO sku_candidate SELECT * FROM unnest(
    CAST(:ids AS uuid[]), CAST(:skus AS text[]), CAST(:moments AS timestamptz[]), CAST(:keys AS text[])
)
"""
OLDEST = """
SELECT DISTINCT ON (sku_key) id, sku, sku_key FROM sku_candidate WHERE sku_key > :after
ORDER BY sku_key, created_at, id LIMIT :size
"""
# In the order in which imports lock products.
LOCK = "SELECT FROM product WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY sku_key FOR UPDATE"
REWRITE = """
UPDATE product AS held SET sku_key = given.sku_key
FROM unnest(CAST(:ids AS uuid[]), CAST(:skus AS text[]), CAST(:keys AS text[])) AS given (id, sku, sku_key)
WHERE held.id = given.id AND held.sku = given.sku
    AND NOT EXISTS (SELECT FROM product AS other WHERE other.sku_key = given.sku_key)
"""
LIST_CONFLICTS = """
INSERT INTO sku_conflict
SELECT product.id, product.sku_key FROM product JOIN sku_candidate USING (id, sku)
WHERE product.sku_key <> sku_candidate.sku_key
"""
# Another connection would wait for these locks, and not see what this one has written.
HAS_LOCKED = """
SELECT EXISTS (
    SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND mode <> 'AccessShareLock'
    AND relation IN (to_regclass('product'), to_regclass('product_change'))
)
"""


class Keyed(NamedTuple):
    """A product and the key that its SKU gets."""

    id: UUID
    sku: str
    key: str


@dataclass(frozen=True)
class Work:
    """The connection that reads and rewrites products, and how it begins a transaction, or a part of one."""

    connection: sa.Connection
    begin: Callable[[], AbstractContextManager[Any]]


def upgrade() -> None:
    op.create_table(
        "sku_conflict",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("sku_key", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_sku_conflict")),
    )
    _rewrite_keys(_trimmed_key)
    op.execute(LIST_CONFLICTS)
    op.execute("DROP TABLE sku_candidate")


def downgrade() -> None:
    _rewrite_keys(_key)
    op.execute("DROP TABLE sku_candidate")
    op.drop_table("sku_conflict")


def _key(text: str) -> str:
    """Return the key as the version before made it."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text.strip()).casefold())


def _trimmed_key(sku: str) -> str:
    return _key(sku.strip(SPACES + INVISIBLE))


def _rewrite_keys(rule: Callable[[str], str]) -> None:
    """Rewrite the keys that differ by the rule; leave the table `sku_candidate` with their products."""
    op.execute(CANDIDATES)
    with _work(op.get_bind()) as work:
        _gather(work, rule)
        after = ""
        while batch := _oldest(after):
            _rewrite(work, batch)
            after = batch[-1].key


@contextmanager
def _work(main: sa.Connection) -> Iterator[Work]:
    """Work in transactions of a second connection, or in this one if it has changed the tables meanwhile."""
    if main.execute(sa.text(HAS_LOCKED)).scalar():
        yield Work(main, main.begin_nested)
        return
    with main.engine.connect() as second:
        yield Work(second, second.begin)


def _gather(work: Work, rule: Callable[[str], str]) -> None:
    """Note the products whose keys differ, page by page."""
    after: UUID | None = UUID(int=0)
    while after is not None:
        with work.begin():
            found = work.connection.execute(
                sa.text(PAGE), {"after": str(after), "size": PAGE_ROWS, "pattern": AT_AN_EDGE}
            ).all()
        differing = [(row, key) for row in found if (key := rule(row.sku)) != row.sku_key]
        values = {
            "ids": [str(row.id) for row, _ in differing],
            "skus": [row.sku for row, _ in differing],
            "moments": [row.created_at for row, _ in differing],
            "keys": [key for _, key in differing],
        }
        op.get_bind().execute(sa.text(ADD), values)
        after = found[-1].id if found and found[-1].is_last else None


def _oldest(after: str) -> list[Keyed]:
    """Return the oldest product of each of the next keys."""
    rows = op.get_bind().execute(sa.text(OLDEST), {"after": after, "size": BATCH_ROWS})
    return [Keyed(*row) for row in rows]


def _rewrite(work: Work, batch: list[Keyed]) -> None:
    values = {
        "ids": [str(one.id) for one in batch],
        "skus": [one.sku for one in batch],
        "keys": [one.key for one in batch],
    }
    for attempt in range(RETRIES):
        try:
            with work.begin():
                work.connection.execute(sa.text(LOCK), {"ids": values["ids"]})
                work.connection.execute(sa.text(REWRITE), values)
            return
        except IntegrityError:
            if attempt == RETRIES - 1:
                raise
