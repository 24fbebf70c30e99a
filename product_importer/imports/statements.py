"""The SQL of the merge: what becomes of the staged rows of one range of keys, under the choices of an import.

A statement's parameters are the range (`after`, `range_end`), the import (`job_id`), the file's own attributes
(`names`) and the number behind which new products are numbered (`numbered`); its result is one row, in the order of
`Outcome`.
"""

from typing import NamedTuple
from uuid import UUID

from psycopg2 import sql

from product_importer.core.ids import id_prefix
from product_importer.imports.header import IGNORED, Header
from product_importer.imports.schemas import ImportChoices

RANGE = "sku_key > %(after)s AND sku_key <= %(range_end)s"

# One row a key: which of several counts is chosen. Taken in key order, so that two imports cannot deadlock.
INCOMING = {
    "last": "SELECT DISTINCT ON (sku_key) * FROM {staging} WHERE " + RANGE + " ORDER BY sku_key, line DESC",
    "first": "SELECT DISTINCT ON (sku_key) * FROM {staging} WHERE " + RANGE + " ORDER BY sku_key, line",
    "reject": "SELECT * FROM (SELECT *, count(*) OVER (PARTITION BY sku_key) AS sharing FROM {staging} WHERE "
    + RANGE
    + ") AS counted WHERE sharing = 1",
}

# Where a row's outcome depends on the product that is there, that product is locked before it is judged.
LOCK = """
WITH incoming AS ({incoming}) SELECT count(*) FROM (
    SELECT FROM incoming JOIN product AS held USING (sku_key) ORDER BY held.sku_key FOR NO KEY UPDATE OF held
) AS locked
"""
# What each row meets in the catalogue; `code` says why it is refused, else NULL.
MET = """met AS (
    SELECT excluded.*, held.id AS held_id, held.version AS held_version, {code} AS code,
        ({held}) IS DISTINCT FROM ({given}) AS differs
    FROM incoming AS excluded LEFT JOIN product AS held USING (sku_key) {seen}
)"""
SEEN = "LEFT JOIN {preview} AS seen USING (sku_key)"
REFUSED = """, refused AS (
    INSERT INTO import_row_error (job_id, line, code, reason, row)
    SELECT %(job_id)s, line, code, reason, to_json({row})
    FROM met JOIN (VALUES {reasons}) AS given (code, reason) USING (code)
    RETURNING 1
)"""

# Inserts and updates apart, each only of rows that need it: `INSERT … ON CONFLICT` would lock, and so write, even
# the products that stay as they are. A product that appears in between breaks the unique key, one that goes is
# missed by the update: the range is then taken again. Both follow the order of `incoming`.
# A product that an import changes keeps its SKU as it was written first. A new row has version 1, a changed one a
# higher version.
MERGE = """
WITH incoming AS ({incoming}), {met}{refused}, created AS (
    INSERT INTO product (id, sku, sku_key, name, description, active, attributes)
    SELECT {id}, sku, sku_key, name, description, coalesce(active, true), coalesce(attributes, '{{}}')
    FROM met WHERE held_id IS NULL AND code IS NULL
    RETURNING {returned}
), updated AS (
    UPDATE product AS held SET {assignments}, version = held.version + 1, updated_at = now()
    FROM met AS excluded WHERE excluded.differs AND excluded.code IS NULL AND held.id = excluded.held_id
    RETURNING {returned_held}
), written AS (SELECT * FROM created UNION ALL SELECT * FROM updated){told}
SELECT
    (SELECT count(*) FROM {staging} WHERE {range}), (SELECT count(*) FROM incoming), {refusals},
    (SELECT count(*) FROM created), (SELECT count(*) FROM updated),
    (SELECT count(*) FROM met WHERE differs AND held_id IS NOT NULL AND code IS NULL)
"""
# The same judgement without writing a product: what a trial shows.
PREVIEW = """
WITH incoming AS ({incoming}), {met}{refused}, shown AS (
    INSERT INTO {shown_in} (sku_key, line, product_id, version, outcome)
    SELECT sku_key, line, held_id, held_version,
        coalesce(code, CASE WHEN held_id IS NULL THEN 'created' WHEN differs THEN 'updated' ELSE 'unchanged' END)
    FROM met
    RETURNING outcome
)
SELECT
    (SELECT count(*) FROM {staging} WHERE {range}), (SELECT count(*) FROM incoming), {refusals},
    count(*) FILTER (WHERE outcome = 'created'), count(*) FILTER (WHERE outcome = 'updated'),
    count(*) FILTER (WHERE outcome = 'updated')
FROM shown
"""

REASONS = {
    "changed_since_preview": "The product was changed after the trial, so this row was not merged.",
    "exists": "There is a product with this SKU already, and this import only creates.",
    "not_found": "There is no product with this SKU, and this import only updates.",
    "no_name_to_keep": "The name is empty, and there is no product whose name could stay.",
}
# What a statement of this module refuses, as opposed to the reader and the checks.
CODES = (*REASONS, "duplicate", "duplicate_sku")

# One event a written row, for those who want each: with the id that a new product has or would have, so in the order
# of lines; nothing compares the two. What is written carries it along: the merge has no plan for a join of its parts.
TELL = """, told AS (
    INSERT INTO event (id, event_type, payload, version, batch_id)
    SELECT event_id, named.event_type, jsonb_build_object(
        'event_type', named.event_type, 'product_id', written.id, 'sku', written.sku, 'name', written.name,
        'timestamp', round(extract(epoch FROM clock_timestamp()), 3)
    ), written.version, {job_id}
    FROM written, LATERAL (
        SELECT CASE version WHEN 1 THEN 'product_created' ELSE 'product_updated' END AS event_type
    ) AS named
)"""

# Ranked by the index alone; only the rows that are reported are fetched.
LOSERS = """
INSERT INTO import_row_error (job_id, line, code, reason, row)
SELECT %(job_id)s, line, 'duplicate', 'Line ' || winner || ' has the same SKU and was taken.', to_json({row})
FROM (
    SELECT sku_key, line, first_value(line) OVER (PARTITION BY sku_key ORDER BY line {order}) AS winner
    FROM {staging} WHERE {range}
) AS ranked JOIN {staging} AS lost USING (sku_key, line)
WHERE line <> winner
"""
ALL_REFUSED = """
INSERT INTO import_row_error (job_id, line, code, reason, row)
SELECT %(job_id)s, line, 'duplicate_sku',
    'Line ' || CASE line WHEN first THEN last ELSE first END || ' has the same SKU; none of these rows was taken.',
    to_json({row})
FROM (
    SELECT sku_key, line, min(line) OVER same AS first, max(line) OVER same AS last FROM {staging} WHERE {range}
    WINDOW same AS (PARTITION BY sku_key)
) AS ranked JOIN {staging} AS lost USING (sku_key, line)
WHERE first <> last
"""


class Outcome(NamedTuple):
    """What became of one range: rows staged, keys among them, rows refused, products created and updated.

    `expected` is how many products were to be updated: fewer are when one went away meanwhile.
    """

    staged: int
    keys: int
    refused: int
    created: int
    updated: int
    expected: int


class Statements:
    """The statements of one import: its header and its choices decide their text."""

    def __init__(self, job_id: UUID, table: str, header: Header, choices: ImportChoices):
        self._job_id = job_id
        self._table = table
        self._header = header
        self._choices = choices
        self.attribute_names = list(header.attributes.values())
        self.refuses_duplicates = choices.duplicates == "reject"

    def lock(self, preview: str | None) -> sql.Composable | None:
        """Return what is to be done before the merge, or None where a row's outcome depends on nothing."""
        return self._compose(LOCK) if self._is_judged(preview) else None

    def merge(self, preview: str | None, tells_each: bool) -> sql.Composable:
        """Return the merge; `preview` is the trial whose rows only count where nothing has changed since."""
        told, returned, returned_held = sql.SQL(""), sql.SQL("version"), sql.SQL("held.version")
        if tells_each:
            told = sql.SQL(TELL).format(job_id=sql.Literal(str(self._job_id)))
            returned = sql.SQL("id, sku, name, version, id AS event_id")
            returned_held = sql.SQL("held.id, held.sku, held.name, held.version, {}").format(
                self._id("excluded.line")
            )
        return self._compose(
            MERGE,
            preview=preview,
            code=self._code(is_applied=preview is not None) if self._is_judged(preview) else None,
            # In the order of insertion, which spares the primary key many a page; with events, in that of lines.
            id=self._id("line" if tells_each else "%(numbered)s + row_number() OVER ()"),
            assignments=sql.SQL(", ".join(f"{column} = {value}" for column, value in self._changes().items())),
            returned=returned,
            returned_held=returned_held,
            told=told,
        )

    def preview(self, table: str) -> sql.Composable:
        """Return the statement that notes in a trial's table what the merge would do."""
        return self._compose(PREVIEW, code=self._code(is_applied=False), shown_in=sql.Identifier(table))

    def duplicates(self) -> sql.Composable:
        """Return the report of the rows that lost to another one of their SKU, each with its row put back."""
        if self.refuses_duplicates:
            return self._compose(ALL_REFUSED, row=self._row())
        order = "DESC" if self._choices.duplicates == "last" else "ASC"
        return self._compose(LOSERS, row=self._row(), order=sql.SQL(order))

    def _is_judged(self, preview: str | None) -> bool:
        return preview is not None or self._choices.mode != "upsert" or self._choices.blank == "keep"

    def _id(self, number: str) -> sql.Composable:
        """Return the expression of the id that `core.ids` gives to a number of this import."""
        return sql.SQL("({} || lpad(to_hex({}), 8, '0'))::uuid").format(
            sql.Literal(id_prefix(self._job_id)), sql.SQL(number)
        )

    def _changes(self) -> dict[str, str]:
        """Return what a row sets, by the columns that the file has: an absent column never changes data."""
        keeps = self._choices.blank == "keep"
        changes = {"name": "coalesce(nullif(excluded.name, ''), held.name)" if keeps else "excluded.name"}
        changes["description"] = (
            "coalesce(nullif(excluded.description, ''), held.description)" if keeps else "excluded.description"
        )
        if self._header.position("active") is not None:
            changes["active"] = "coalesce(excluded.active, held.active)" if keeps else "excluded.active"
        if self._header.attributes:
            # The file's own attributes are replaced as a whole, so that a blank cell removes one; others stay.
            held = "held.attributes" if keeps else "(held.attributes - %(names)s::text[])"
            changes["attributes"] = f"{held} || excluded.attributes"
        return changes

    def _code(self, is_applied: bool) -> sql.Composable:
        """Return why a row is refused, as an expression over the product it meets; else NULL."""
        cases = []
        if is_applied:
            was_seen = "(held.id, held.version) IS DISTINCT FROM (seen.product_id, seen.version)"
            cases.append(f"WHEN {was_seen} THEN 'changed_since_preview'")
        if self._choices.mode == "create":
            cases.append("WHEN held.id IS NOT NULL THEN 'exists'")
        if self._choices.mode == "update":
            cases.append("WHEN held.id IS NULL THEN 'not_found'")
        cases.append("WHEN excluded.name = '' AND held.id IS NULL THEN 'no_name_to_keep'")
        return sql.SQL(f"CASE {' '.join(cases)} END")

    def _row(self) -> sql.Composable:
        """Return a staged row put back into the file's columns."""
        attributes = self._header.attributes
        cells: list[sql.Composable] = []
        for position, field in enumerate(self._header.fields):
            if position in attributes:
                cells.append(sql.SQL("coalesce(attributes ->> {}, '')").format(sql.Literal(attributes[position])))
            elif field == IGNORED:
                cells.append(sql.Literal(""))
            else:
                cells.append(sql.SQL("coalesce({}::text, '')").format(sql.Identifier(field)))
        return sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(cells))

    def _compose(
        self,
        template: str,
        preview: str | None = None,
        code: sql.Composable | None = None,
        **parts: sql.Composable,
    ) -> sql.Composable:
        changes, nothing = self._changes(), sql.SQL("")
        staging = sql.Identifier(self._table)
        met = sql.SQL(MET).format(
            code=code or sql.SQL("NULL::text"),
            held=sql.SQL(", ".join(f"held.{column}" for column in changes)),
            given=sql.SQL(", ".join(changes.values())),
            seen=sql.SQL(SEEN).format(preview=sql.Identifier(preview)) if preview else nothing,
        )
        return sql.SQL(template).format(
            staging=staging,
            incoming=sql.SQL(INCOMING[self._choices.duplicates]).format(staging=staging),
            range=sql.SQL(RANGE),
            met=met,
            refused=self._refused() if code else nothing,
            refusals=sql.SQL("(SELECT count(*) FROM refused)" if code else "0"),
            **parts,
        )

    def _refused(self) -> sql.Composable:
        reasons = sql.SQL(", ").join(
            sql.SQL("({}, {})").format(sql.Literal(name), sql.Literal(reason)) for name, reason in REASONS.items()
        )
        return sql.SQL(REFUSED).format(row=self._row(), reasons=reasons)
