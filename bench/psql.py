"""`psql` alone, beside ours: what one would write by hand for the same file and the same table of products.

It validates no row, counts nothing, sends no events and maintains no search index: an import that takes as long costs
only what PostgreSQL needs for the rows.
"""

from pathlib import Path

from bench.subject import Subject

DATABASE = "bench_floor"

# Ours is measured with all its features. psql gets what makes it fastest:
# * the whole file in one staging table without WAL, and one statement in one transaction;
# * ids that are cheap to make and, ascending in the order of insertion, cheap to index: the server's own
#   gen_random_uuid() costs 5 µs each in this build, and random ids a random page of the primary key;
# * enough memory to sort the file in one go.
# The last row of a key wins. In a table without updates ctid follows the order of the file.
SCRIPT = r"""
SET work_mem = '256MB';
CREATE UNLOGGED TABLE staging (sku text, name text, description text);
\copy staging FROM '{path}' WITH (FORMAT csv, HEADER)
INSERT INTO product AS held (id, sku, sku_key, name, description)
SELECT (prefix || lpad(to_hex(row_number() OVER ()), 12, '0'))::uuid, sku, sku_key, name, description
FROM (
    SELECT DISTINCT ON (lower(btrim(sku)) COLLATE "C")
        btrim(sku) AS sku, lower(btrim(sku)) AS sku_key, name, description
    FROM staging ORDER BY lower(btrim(sku)) COLLATE "C", ctid DESC
) AS incoming, (
    SELECT lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '70008000' AS prefix
) AS now
ON CONFLICT (sku_key) DO UPDATE
SET name = excluded.name, description = excluded.description, version = held.version + 1, updated_at = now()
WHERE (held.name, held.description) IS DISTINCT FROM (excluded.name, excluded.description);
DROP TABLE staging;
"""


class Psql:
    """A database on the same server that holds nothing but the table of products, with its columns and keys."""

    def __init__(self, subject: Subject):
        self._subject = subject
        self.database = subject.database(DATABASE)

    def run(self, path: Path) -> float:
        """Load a file; return the seconds, with psql's own start."""
        return self._subject.psql(self.database, SCRIPT.format(path=path))

    def empty(self) -> None:
        """Delete every product."""
        with self._subject.connect(self.database) as connection:
            connection.cursor().execute("TRUNCATE product")


def empty_both(subject: Subject, psql: Psql) -> None:
    """Delete every product of ours and of psql's, and wait until no background work is left."""
    psql.empty()
    subject.empty()
