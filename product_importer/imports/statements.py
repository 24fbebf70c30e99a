"""The statements of the merge: what becomes of the staged rows of one range of keys, under an import's choices."""

from typing import NamedTuple
from uuid import UUID

from psycopg2 import sql

from product_importer.core.ids import id_prefix
from product_importer.imports import templates
from product_importer.imports.header import IGNORED, Header
from product_importer.imports.schemas import ImportChoices


class Steps(NamedTuple):
    """What is done with a range: `merge`, or, where no product lies in it, the cheaper `insert`, if there is one.

    An insert answers with its count of rows only. `lock` comes before a merge whose outcomes depend on the products
    that are there.
    """

    merge: sql.Composable
    lock: sql.Composable | None = None
    insert: sql.Composable | None = None


class Statements:
    """The statements of one import: its header and its choices decide their text."""

    def __init__(self, job_id: UUID, table: str, header: Header, choices: ImportChoices):
        self._job_id = job_id
        self._table = table
        self._header = header
        self._choices = choices
        self.attribute_names = list(header.attributes.values())
        self.refuses_duplicates = choices.duplicates == "reject"

    def merge(self, preview: str | None, tells_each: bool) -> Steps:
        """Return the merge; `preview` is the trial whose rows only count where nothing has changed since."""
        is_judged = preview is not None or self._choices.mode != "upsert" or self._choices.blank == "keep"
        told, returned, returned_held = sql.SQL(""), sql.SQL("version"), sql.SQL("held.version")
        if tells_each:
            told = sql.SQL(templates.TELL).format(job_id=sql.Literal(str(self._job_id)))
            returned = sql.SQL("id, sku, name, version, id AS event_id")
            returned_held = sql.SQL("held.id, held.sku, held.name, held.version, {}").format(
                self._id("excluded.line")
            )
        # In the order of insertion, which spares the primary key many a page; with events, in that of lines.
        new_id = self._id("line" if tells_each else "%(numbered)s + row_number() OVER ()")
        merge = self._compose(
            templates.MERGE,
            preview=preview,
            code=self._code(is_applied=preview is not None) if is_judged else None,
            id=new_id,
            assignments=sql.SQL(", ".join(f"{column} = {value}" for column, value in self._changes().items())),
            returned=returned,
            returned_held=returned_held,
            told=told,
        )
        if is_judged:
            return Steps(merge, lock=self._compose(templates.LOCK))
        return Steps(merge, insert=None if tells_each else self._compose(templates.INSERT, id=new_id))

    def preview(self, table: str) -> Steps:
        """Return what notes in a trial's table what the merge would do."""
        code = self._code(is_applied=False)
        return Steps(self._compose(templates.PREVIEW, code=code, shown_in=sql.Identifier(table)))

    def duplicates(self) -> sql.Composable:
        """Return the report of the rows that lost to another one of their SKU, each with its row put back."""
        if self.refuses_duplicates:
            return self._compose(templates.ALL_REFUSED, row=self._row())
        return self._compose(templates.LOSERS, row=self._row(), winner=sql.Identifier(self._choices.duplicates))

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
        met = sql.SQL(templates.MET).format(
            code=code or sql.SQL("NULL::text"),
            held=sql.SQL(", ".join(f"held.{column}" for column in changes)),
            given=sql.SQL(", ".join(changes.values())),
            seen=sql.SQL(templates.SEEN).format(preview=sql.Identifier(preview)) if preview else nothing,
        )
        return sql.SQL(template).format(
            staging=staging,
            incoming=sql.SQL(templates.INCOMING[self._choices.duplicates]).format(staging=staging),
            range=sql.SQL(templates.RANGE),
            met=met,
            refused=self._refused() if code else nothing,
            refusals=sql.SQL("(SELECT count(*) FROM refused)" if code else "0"),
            **parts,
        )

    def _refused(self) -> sql.Composable:
        given = [
            sql.SQL("({}, {})").format(sql.Literal(code), sql.Literal(reason))
            for code, reason in templates.REASONS.items()
        ]
        return sql.SQL(templates.REFUSED).format(row=self._row(), reasons=sql.SQL(", ").join(given))
