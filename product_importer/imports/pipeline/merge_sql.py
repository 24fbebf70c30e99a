"""The statements of the merge: what becomes of the staged rows of one range of keys, under an import's choices.

Their text is made of `templates` and of the names of our own tables and columns. What the file says is in `values`.
"""

from typing import Any, NamedTuple
from uuid import UUID

from psycopg2 import sql

from product_importer.core.db import identifier
from product_importer.core.ids import id_prefix
from product_importer.imports.columns.header import Header
from product_importer.imports.pipeline import sql_templates
from product_importer.imports.schemas import ImportChoices

NOTHING = sql.SQL("")
COMMA = sql.SQL(", ")


class Steps(NamedTuple):
    """What is done with a range: `merge`, or, where no product lies in it, the cheaper `insert`, if there is one.

    An insert answers with its count of rows only. `lock` comes before a merge whose outcomes depend on the products
    that are there.
    """

    merge: sql.Composable
    lock: sql.Composable | None = None
    insert: sql.Composable | None = None


class Statements:
    """The statements of one import: its header and its choices decide their text.

    `values` are the parameters that are the same for each range, the file's column names among them.
    """

    def __init__(self, job_id: UUID, table: str, header: Header, choices: ImportChoices):
        self._staging = identifier(table)
        self._header = header
        self._choices = choices
        self.refuses_duplicates = choices.duplicates == "reject"
        self.values: dict[str, Any] = {
            "job_id": str(job_id),
            "prefix": id_prefix(job_id),
            "names": list(header.attributes.values()),
            "codes": list(sql_templates.REASONS),
            "reasons": list(sql_templates.REASONS.values()),
            **{_parameter(position): name for position, name in header.attributes.items()},
        }

    def merge(self, preview: str | None, tells_each: bool) -> Steps:
        """Return the merge; `preview` is the trial whose rows only count where nothing has changed since."""
        is_judged = preview is not None or self._choices.mode != "upsert" or self._choices.blank == "keep"
        # With events in the order of lines, as they are told.
        new_id = sql.SQL(sql_templates.ID_BY_LINE if tells_each else sql_templates.ID_BY_ORDER)
        merge = self._compose(
            sql.SQL(sql_templates.MERGE),
            preview=preview,
            code=self._code(is_applied=preview is not None) if is_judged else None,
            id=new_id,
            assignments=COMMA.join(sql.SQL("{} = {}").format(*pair) for pair in self._changes()),
            returned=sql.SQL(sql_templates.TOLD if tells_each else sql_templates.RETURNED),
            returned_held=sql.SQL(sql_templates.TOLD_HELD if tells_each else sql_templates.RETURNED_HELD),
            told=sql.SQL(sql_templates.TELL) if tells_each else NOTHING,
        )
        if is_judged:
            return Steps(merge, lock=self._compose(sql.SQL(sql_templates.LOCK)))
        return Steps(merge, insert=None if tells_each else self._compose(sql.SQL(sql_templates.INSERT), id=new_id))

    def preview(self, table: str) -> Steps:
        """Return what notes in a trial's table what the merge would do."""
        code = self._code(is_applied=False)
        return Steps(self._compose(sql.SQL(sql_templates.PREVIEW), code=code, shown_in=identifier(table)))

    def duplicates(self) -> sql.Composable:
        """Return the report of the rows that lost to another one of their SKU, each with its row put back."""
        if self.refuses_duplicates:
            return self._compose(sql.SQL(sql_templates.ALL_REFUSED), row=self._row())
        return self._compose(
            sql.SQL(sql_templates.LOSERS), row=self._row(), winner=identifier(self._choices.duplicates)
        )

    def _changes(self) -> list[tuple[sql.Composable, sql.Composable]]:
        """Return the columns that a row sets, and to what: a column that the file lacks never changes data."""
        columns = ["name", "description"]
        columns += ["active"] if self._header.position("active") is not None else []
        columns += ["attributes"] if self._header.attributes else []
        given = sql_templates.GIVEN[self._choices.blank]
        return [(identifier(column), sql.SQL(given[column])) for column in columns]

    def _code(self, is_applied: bool) -> sql.Composable:
        """Return why a row is refused, as an expression over the product it meets; else NULL."""
        return sql.SQL(sql_templates.CODE).format(
            changed_since=sql.SQL(sql_templates.CHANGED_SINCE if is_applied else ""),
            unwanted=sql.SQL(sql_templates.UNWANTED[self._choices.mode]),
        )

    def _row(self) -> sql.Composable:
        """Return a staged row put back into the file's columns."""
        return COMMA.join(
            sql.SQL(sql_templates.CELLS[field]).format(name=sql.Placeholder(_parameter(position)))
            for position, field in enumerate(self._header.fields)
        )

    def _compose(
        self,
        template: sql.SQL,
        preview: str | None = None,
        code: sql.Composable | None = None,
        **parts: sql.Composable,
    ) -> sql.Composable:
        changes = self._changes()
        met = sql.SQL(sql_templates.MET).format(
            code=code or sql.SQL("NULL::text"),
            held=COMMA.join(sql.SQL("held.{}").format(column) for column, _ in changes),
            given=COMMA.join(value for _, value in changes),
            seen=sql.SQL(sql_templates.SEEN).format(preview=identifier(preview)) if preview else NOTHING,
        )
        return template.format(
            staging=self._staging,
            incoming=sql.SQL(sql_templates.INCOMING[self._choices.duplicates]).format(staging=self._staging),
            met=met,
            refused=sql.SQL(sql_templates.REFUSED).format(row=self._row()) if code else NOTHING,
            refusals=sql.SQL("(SELECT count(*) FROM refused)" if code else "0"),
            **parts,
        )


def _parameter(position: int) -> str:
    """Return the parameter that holds the name of the attribute that a column fills."""
    return f"name_{position}"
