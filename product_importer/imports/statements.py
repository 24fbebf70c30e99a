"""The SQL of the merge: what becomes of the staged rows of one range of keys, under the choices of an import.

A statement's parameters are the range (`after`, `range_end`), the import (`job_id`) and the file's own attributes
(`names`); its result is one row, in the order of `Outcome`.
"""

from typing import NamedTuple
from uuid import UUID

from psycopg2 import sql

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

# A product that an import changes keeps its SKU as it was written first. A new row has version 1, a changed
# one a higher version; unchanged ones are not returned, for they are not written.
MERGE = """
WITH incoming AS ({incoming}){judged}, written AS (
    INSERT INTO product AS held (id, sku, sku_key, name, description, active, attributes)
    {source} ORDER BY sku_key
    ON CONFLICT (sku_key) DO UPDATE
    SET {assignments}, version = held.version + 1, updated_at = now()
    WHERE ({held}) IS DISTINCT FROM ({given})
    RETURNING {returned}
){told}
SELECT
    (SELECT count(*) FROM {staging} WHERE {range}), (SELECT count(*) FROM incoming), {refused},
    count(*) FILTER (WHERE version = 1), count(*) FILTER (WHERE version > 1), {fresh}
FROM written
"""
PLAIN_SOURCE = "SELECT id, sku, sku_key, name, description, active, attributes FROM incoming"

# Where a row's outcome depends on the product that is there, that product is locked before it is judged.
JUDGED = """, locked AS (
    SELECT held.id, held.sku_key, held.version, held.name, held.active
    FROM product AS held JOIN incoming USING (sku_key) ORDER BY held.sku_key FOR NO KEY UPDATE OF held
), judged AS (
    SELECT excluded.*, locked.id AS held_id, locked.name AS held_name, locked.active AS held_active, {code} AS code
    FROM incoming AS excluded LEFT JOIN locked USING (sku_key) {seen}
), {refusals}"""
JUDGED_SOURCE = """
SELECT id, sku, sku_key, coalesce(nullif(name, ''), held_name), description, coalesce(active, held_active, true),
    attributes FROM judged WHERE code IS NULL"""
REFUSALS = """refused AS (
    INSERT INTO import_row_error (job_id, line, code, reason, row)
    SELECT %(job_id)s, line, code, reason, to_json({row})
    FROM judged JOIN (VALUES {reasons}) AS given (code, reason) USING (code)
    RETURNING 1
)"""
SEEN = "LEFT JOIN {preview} AS seen USING (sku_key)"

REASONS = {
    "changed_since_preview": "The product was changed after the trial, so this row was not merged.",
    "exists": "There is a product with this SKU already, and this import only creates.",
    "not_found": "There is no product with this SKU, and this import only updates.",
    "no_name_to_keep": "The name is empty, and there is no product whose name could stay.",
}
# What a statement of this module refuses, as opposed to the reader and the checks.
CODES = (*REASONS, "duplicate", "duplicate_sku")

# The same judgement without writing a product: what a trial shows.
PREVIEW = """
WITH incoming AS ({incoming}), judged AS (
    SELECT excluded.*, locked.id AS held_id, locked.version AS held_version, {code} AS code,
        ({held}) IS DISTINCT FROM ({given}) AS differs
    FROM incoming AS excluded LEFT JOIN product AS locked USING (sku_key)
), {refusals}, shown AS (
    INSERT INTO {preview} (sku_key, line, product_id, version, outcome)
    SELECT sku_key, line, held_id, held_version,
        coalesce(code, CASE WHEN held_id IS NULL THEN 'created' WHEN differs THEN 'updated' ELSE 'unchanged' END)
    FROM judged
    RETURNING outcome
)
SELECT
    (SELECT count(*) FROM {staging} WHERE {range}), (SELECT count(*) FROM incoming), (SELECT count(*) FROM refused),
    count(*) FILTER (WHERE outcome = 'created'), count(*) FILTER (WHERE outcome = 'updated'), 0
FROM shown
"""

# One event a written row, for those who want each: with the id that staging gave the row, so in the order of lines.
# A new product has that id itself; nothing compares the two.
TELL = """, told AS (
    INSERT INTO event (id, event_type, payload, version, batch_id)
    SELECT incoming.id, named.event_type, jsonb_build_object(
        'event_type', named.event_type, 'product_id', written.id, 'sku', written.sku, 'name', written.name,
        'timestamp', round(extract(epoch FROM clock_timestamp()), 3)
    ), written.version, {job_id}
    FROM written JOIN incoming USING (sku_key),
        LATERAL (SELECT CASE version WHEN 1 THEN 'product_created' ELSE 'product_updated' END AS event_type) AS named
)"""

LOSERS = """
INSERT INTO import_row_error (job_id, line, code, reason, row)
SELECT %(job_id)s, line, 'duplicate', 'Line ' || winner || ' has the same SKU and was taken.', to_json({row})
FROM (
    SELECT *, first_value(line) OVER (PARTITION BY sku_key ORDER BY line {order}) AS winner FROM {staging}
    WHERE {range}
) AS ranked
WHERE line <> winner
"""
ALL_REFUSED = """
INSERT INTO import_row_error (job_id, line, code, reason, row)
SELECT %(job_id)s, line, 'duplicate_sku',
    'Line ' || CASE line WHEN first THEN last ELSE first END || ' has the same SKU; none of these rows was taken.',
    to_json({row})
FROM (
    SELECT *, min(line) OVER same AS first, max(line) OVER same AS last FROM {staging} WHERE {range}
    WINDOW same AS (PARTITION BY sku_key)
) AS ranked
WHERE first <> last
"""


class Outcome(NamedTuple):
    """What became of one range: rows staged, keys among them, rows refused, products created and updated.

    `fresh` is how many had to be created where that is certain, else 0.
    """

    staged: int
    keys: int
    refused: int
    created: int
    updated: int
    fresh: int


class Statements:
    """The statements of one import: its header and its choices decide their text."""

    def __init__(self, job_id: UUID, table: str, header: Header, choices: ImportChoices):
        self._job_id = job_id
        self._table = table
        self._header = header
        self._choices = choices
        self.attribute_names = list(header.attributes.values())
        self.refuses_duplicates = choices.duplicates == "reject"

    def merge(self, preview: str | None, tells_each: bool) -> sql.Composable:
        """Return the merge; `preview` is the trial whose rows only count where nothing has changed since."""
        changes = self._changes()
        is_judged = preview is not None or self._choices.mode != "upsert" or self._choices.blank == "keep"
        return self._compose(
            MERGE,
            judged=self._judged(preview) if is_judged else sql.SQL(""),
            source=sql.SQL(JUDGED_SOURCE if is_judged else PLAIN_SOURCE),
            assignments=sql.SQL(", ".join(f"{column} = {value}" for column, value in changes.items())),
            held=_held(changes, "held"),
            given=_given(changes, "held"),
            returned=sql.SQL("id, sku, sku_key, name, version" if tells_each else "version"),
            told=sql.SQL(TELL).format(job_id=sql.Literal(str(self._job_id))) if tells_each else sql.SQL(""),
            refused=sql.SQL("(SELECT count(*) FROM refused)" if is_judged else "0"),
            fresh=sql.SQL(
                "(SELECT count(*) FROM judged WHERE code IS NULL AND held_id IS NULL)"
                if preview is not None or self._choices.mode == "create"
                else "0"
            ),
        )

    def preview(self, table: str) -> sql.Composable:
        """Return the statement that notes in a trial's table what the merge would do."""
        changes = self._changes()
        return self._compose(
            PREVIEW,
            code=self._code(is_applied=False),
            refusals=self._refusals(),
            held=_held(changes, "locked"),
            given=_given(changes, "locked"),
            preview=sql.Identifier(table),
        )

    def duplicates(self) -> sql.Composable:
        """Return the report of the rows that lost to another one of their SKU, each with its row put back."""
        if self.refuses_duplicates:
            return self._compose(ALL_REFUSED, row=self._row())
        order = "DESC" if self._choices.duplicates == "last" else "ASC"
        return self._compose(LOSERS, row=self._row(), order=sql.SQL(order))

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

    def _judged(self, preview: str | None) -> sql.Composable:
        return sql.SQL(JUDGED).format(
            code=self._code(is_applied=preview is not None),
            seen=sql.SQL("") if preview is None else sql.SQL(SEEN).format(preview=sql.Identifier(preview)),
            refusals=self._refusals(),
        )

    def _code(self, is_applied: bool) -> sql.Composable:
        """Return why a row is refused, as an expression over the product it meets (`locked`); else NULL."""
        cases = []
        if is_applied:
            was_seen = "(locked.id, locked.version) IS DISTINCT FROM (seen.product_id, seen.version)"
            cases.append(f"WHEN {was_seen} THEN 'changed_since_preview'")
        if self._choices.mode == "create":
            cases.append("WHEN locked.id IS NOT NULL THEN 'exists'")
        if self._choices.mode == "update":
            cases.append("WHEN locked.id IS NULL THEN 'not_found'")
        cases.append("WHEN excluded.name = '' AND locked.id IS NULL THEN 'no_name_to_keep'")
        return sql.SQL(f"CASE {' '.join(cases)} END")

    def _refusals(self) -> sql.Composable:
        reasons = sql.SQL(", ").join(
            sql.SQL("({}, {})").format(sql.Literal(code), sql.Literal(reason)) for code, reason in REASONS.items()
        )
        return sql.SQL(REFUSALS).format(row=self._row(), reasons=reasons)

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

    def _compose(self, template: str, **parts: sql.Composable) -> sql.Composable:
        staging = sql.Identifier(self._table)
        incoming = sql.SQL(INCOMING[self._choices.duplicates]).format(staging=staging)
        names = {"staging": staging, "incoming": incoming, "range": sql.SQL(RANGE), **parts}
        return sql.SQL(template).format(**names)


def _held(changes: dict[str, str], product: str) -> sql.Composable:
    return sql.SQL(", ".join(f"{product}.{column}" for column in changes))


def _given(changes: dict[str, str], product: str) -> sql.Composable:
    return sql.SQL(", ".join(changes.values()).replace("held.", f"{product}."))
