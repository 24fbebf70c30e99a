"""Put together the SQL statements that merge one range of keys, by an import's header and options.

Their text consists of `sql_templates` and the names of our own tables and columns. Text from the file is in `values`.
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
    """The statements for a range: `merge`, or, if there is no product in it, the cheaper `insert`, if there is one.

    An insert only returns its count of rows. `lock` precedes a merge whose outcomes depend on existing products.
    """

    merge: sql.Composable
    lock: sql.Composable | None = None
    insert: sql.Composable | None = None


class Statements:
    """The statements of one import. `values` are the parameters that all ranges share, such as the column names."""

    def __init__(self, job_id: UUID, table: str, header: Header, choices: ImportChoices):
        self._staging = identifier(table)
        self._header = header
        self._choices = choices
        self.rejects_duplicates = choices.duplicates == "reject"
        self.values: dict[str, Any] = {
            "job_id": str(job_id),
            "prefix": id_prefix(job_id),
            "names": list(header.attributes.values()),
            "codes": list(sql_templates.REASONS),
            "reasons": list(sql_templates.REASONS.values()),
            **{_parameter(position): name for position, name in header.attributes.items()},
        }

    def merge(self, dry_run_table: str | None, has_events: bool) -> Steps:
        """Return the merge. Rows are rejected if their product has changed since the dry run in `dry_run_table`."""
        has_codes = dry_run_table is not None or self._choices.mode != "upsert" or self._choices.blank == "keep"
        # With events, ids follow the order of lines, as the events do.
        new_id = sql.SQL(sql_templates.ID_BY_LINE if has_events else sql_templates.ID_BY_ORDER)
        merge = self._compose(
            sql.SQL(sql_templates.MERGE),
            dry_run_table=dry_run_table,
            code=self._code(is_applied=dry_run_table is not None) if has_codes else None,
            id=new_id,
            assignments=COMMA.join(sql.SQL("{} = {}").format(*pair) for pair in self._changes()),
            returned=sql.SQL(sql_templates.EVENT_COLUMNS if has_events else sql_templates.RETURNED),
            returned_held=sql.SQL(sql_templates.EVENT_COLUMNS_HELD if has_events else sql_templates.RETURNED_HELD),
            events=sql.SQL(sql_templates.EVENTS) if has_events else NOTHING,
        )
        if has_codes:
            return Steps(merge, lock=self._compose(sql.SQL(sql_templates.LOCK)))
        return Steps(merge, insert=None if has_events else self._compose(sql.SQL(sql_templates.INSERT), id=new_id))

    def dry_run(self, table: str) -> Steps:
        """Return what writes to the table of a dry run what the merge would do."""
        code = self._code(is_applied=False)
        return Steps(self._compose(sql.SQL(sql_templates.DRY_RUN), code=code, outcomes=identifier(table)))

    def duplicates(self) -> sql.Composable:
        """Return the statement that reports the rows of an SKU that were not taken, each in the file's columns."""
        if self.rejects_duplicates:
            return self._compose(sql.SQL(sql_templates.ALL_DUPLICATES), row=self._row())
        return self._compose(
            sql.SQL(sql_templates.DUPLICATES), row=self._row(), winner=identifier(self._choices.duplicates)
        )

    def _changes(self) -> list[tuple[sql.Composable, sql.Composable]]:
        """Return the columns that a row sets, and their values; columns that the file lacks never change."""
        columns = ["name", "description"]
        columns += ["active"] if self._header.position("active") is not None else []
        columns += ["attributes"] if self._header.attributes else []
        given = sql_templates.GIVEN[self._choices.blank]
        return [(identifier(column), sql.SQL(given[column])) for column in columns]

    def _code(self, is_applied: bool) -> sql.Composable:
        """Return the expression for the code of a rejected row; it is NULL for the others."""
        return sql.SQL(sql_templates.CODE).format(
            changed_since=sql.SQL(sql_templates.CHANGED_SINCE if is_applied else ""),
            unwanted=sql.SQL(sql_templates.UNWANTED[self._choices.mode]),
        )

    def _row(self) -> sql.Composable:
        """Return the expressions for a staged row in the file's columns."""
        return COMMA.join(
            sql.SQL(sql_templates.CELLS[field]).format(name=sql.Placeholder(_parameter(position)))
            for position, field in enumerate(self._header.fields)
        )

    def _compose(
        self,
        template: sql.SQL,
        dry_run_table: str | None = None,
        code: sql.Composable | None = None,
        **parts: sql.Composable,
    ) -> sql.Composable:
        changes = self._changes()
        met = sql.SQL(sql_templates.MET).format(
            code=code or sql.SQL("NULL::text"),
            held=COMMA.join(sql.SQL("held.{}").format(column) for column, _ in changes),
            given=COMMA.join(value for _, value in changes),
            seen=sql.SQL(sql_templates.SEEN).format(dry_run_table=identifier(dry_run_table))
            if dry_run_table
            else NOTHING,
        )
        return template.format(
            staging=self._staging,
            incoming=sql.SQL(sql_templates.INCOMING[self._choices.duplicates]).format(staging=self._staging),
            met=met,
            rejected=sql.SQL(sql_templates.REJECTED).format(row=self._row()) if code else NOTHING,
            rejections=sql.SQL("(SELECT count(*) FROM rejected)" if code else "0"),
            **parts,
        )


def _parameter(position: int) -> str:
    """Return the parameter for the name of the attribute that the column at this position fills."""
    return f"name_{position}"
