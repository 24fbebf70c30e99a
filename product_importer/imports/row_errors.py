"""Tell why rows of an import were rejected: the rows page by page, and the reasons with their counts."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Select, Text, func, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlmodel import Session, col

from product_importer.core.enums import InlineEnum
from product_importer.core.pagination import Page, PageQuery
from product_importer.imports import jobs
from product_importer.imports.columns.header import default_name
from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.models import ImportJob, ImportRowError

# Of at most 200 rows each: further pages would get slow, and the CSV has all rows.
MAX_PAGE = 1_250
# Reasons are counted among so many of the first rejected rows.
MAX_COUNTED = 100_000
MAX_FIRST_LINES = 5
# Which product field is wrong in rows with these codes. The others are wrong as a whole, or their reason says where.
WRONG_FIELDS = {
    RowErrorCode.NO_SKU: "sku",
    RowErrorCode.SCIENTIFIC_SKU: "sku",
    RowErrorCode.DUPLICATE_SKU: "sku",
    RowErrorCode.EXISTS: "sku",
    RowErrorCode.NOT_FOUND: "sku",
    RowErrorCode.NO_NAME: "name",
    RowErrorCode.NO_NAME_TO_KEEP: "name",
    RowErrorCode.BAD_ACTIVE: "active",
}
STORED_NUL = "\N{SYMBOL FOR NULL}"
# Longer cells are cut: a line has up to 16 MiB. The CSV has them whole.
MAX_CELL = 500
LINE, CODE, REASON = col(ImportRowError.line), col(ImportRowError.code), col(ImportRowError.reason)
CELL = (
    func.json_array_elements_text(ImportRowError.row)
    .table_valued("value", with_ordinality="position")
    .render_derived()
)
CELLS = func.array(
    select(func.left(CELL.c.value, MAX_CELL)).order_by(CELL.c.position).scalar_subquery(), type_=ARRAY(Text)
)


class RejectionsQuery(PageQuery):
    """Which page of the rejected rows."""

    page: Annotated[int, Field(ge=1, le=MAX_PAGE, description="The first pages; the CSV has all rows.")] = 1


class RowRejection(BaseModel):
    """A rejected row. `cells` are those of the file, in the order of the list's `columns`, cut after 500 characters.

    `wrong_cell` is the position in `cells` of the one that is wrong, from 0; null where it is the row as a whole.
    """

    line: Annotated[int, Field(description="The physical line of the file where the row begins.")]
    code: InlineEnum[RowErrorCode]
    reason: str
    cells: list[str]
    wrong_cell: int | None


class RowRejectionPage(Page[RowRejection]):
    """One page of rejected rows; `columns` are the names of the file's columns."""

    columns: list[str]


class RejectionCount(BaseModel):
    """How many rows were rejected with a code, the lines of the first ones, and the reason of the first."""

    code: InlineEnum[RowErrorCode]
    count: int
    first_lines: list[int]
    reason: str


class RejectionCounts(BaseModel):
    """The codes of rejected rows, the most frequent first.

    Only the first `counted` of the `total` rejected rows are counted; these are all, or 100,000.
    """

    items: list[RejectionCount]
    counted: int
    total: int


def list_rejections(session: Session, job_id: UUID, query: RejectionsQuery) -> RowRejectionPage:
    """Return one page of an import's rejected rows, in the order of their lines.

    Raises:
        NotFound: there is no such import.
    """
    job = jobs.find(session, job_id)
    page = _rejected(job_id, LINE, CODE, REASON, CELLS).order_by(LINE).offset(query.offset).limit(query.page_size)
    return RowRejectionPage(
        items=[_rejection(job, *error) for error in session.execute(page)],
        total=job.rejected,
        page=query.page,
        page_size=query.page_size,
        columns=_columns(job),
    )


def count_rejections(session: Session, job_id: UUID) -> RejectionCounts:
    """Return the codes with which an import's rows were rejected, with their counts and first lines.

    Raises:
        NotFound: there is no such import.
    """
    job = jobs.find(session, job_id)
    first = _rejected(job_id, LINE, CODE).order_by(LINE).limit(MAX_COUNTED).subquery()
    number = func.count().label("number")
    lines = func.array_agg(aggregate_order_by(first.c.line, first.c.line))[1:MAX_FIRST_LINES].label("lines")
    found = session.execute(select(first.c.code, number, lines).group_by(first.c.code).order_by(number.desc())).all()
    reasons = _reasons(session, job_id, [lines[0] for _, _, lines in found])
    return RejectionCounts(
        items=[
            RejectionCount(code=code, count=count, first_lines=lines, reason=reasons[lines[0]])
            for code, count, lines in found
        ],
        counted=sum(count for _, count, _ in found),
        total=job.rejected,
    )


def _rejected(job_id: UUID, *what: Any) -> Select[Any]:
    return select(*what).where(col(ImportRowError.job_id) == job_id, CODE != RowErrorCode.DUPLICATE)


def _reasons(session: Session, job_id: UUID, lines: Sequence[int]) -> dict[int, str]:
    """Return the reasons of rows by their lines."""
    found = session.execute(_rejected(job_id, LINE, REASON).where(LINE.in_(lines)))
    return {row.line: row.reason for row in found}


def _rejection(job: ImportJob, line: int, code: str, reason: str, cells: list[str]) -> RowRejection:
    known = RowErrorCode(code)
    wrong = next(wrong_cells(job, known, reason, cells), None)
    return RowRejection(line=line, code=known, reason=reason, cells=cells, wrong_cell=wrong)


def wrong_cells(job: ImportJob, code: RowErrorCode, reason: str, cells: Iterable[str]) -> Iterator[int]:
    """Yield the positions of wrong cells, as far as they can be told."""
    for position, (name, field, cell) in enumerate(zip(job.header, job.fields, cells, strict=False)):
        if code in WRONG_FIELDS:
            is_wrong = field == WRONG_FIELDS[code]
        elif code == RowErrorCode.TOO_LONG:
            is_wrong = reason.startswith(f"“{name}” has ")
        else:
            is_wrong = code == RowErrorCode.NUL and STORED_NUL in cell
        if is_wrong:
            yield position


def _columns(job: ImportJob) -> list[str]:
    return [name or default_name(position) for position, name in enumerate(job.header)]
