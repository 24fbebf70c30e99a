"""REST routes of imports: parse the request, call one service function, respond."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import StringConstraints
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import ClientDisconnect

from product_importer.catalog.schemas import ATTRIBUTE_FILTERS
from product_importer.core import db
from product_importer.core.errors import Forbidden, Invalid, NotFound, problems
from product_importer.core.pagination import PageQuery
from product_importer.core.problem_types import ProblemType
from product_importer.imports import (
    actions,
    dry_runs,
    jobs,
    progress,
    rejected_rows,
    row_errors,
    service,
    templates,
    watching,
)
from product_importer.imports.action_schemas import ActionQuery, ProductAction
from product_importer.imports.edits import fixing
from product_importer.imports.edits import service as edits
from product_importer.imports.edits.schemas import EditedRows, RowsEdit
from product_importer.imports.row_errors import RejectionCounts, RejectionsQuery, RowRejectionPage
from product_importer.imports.schemas import (
    ChangesPage,
    ChangesQuery,
    ImportAccepted,
    ImportPage,
    ImportQuery,
    ImportRead,
    UndoKeptPage,
)
from product_importer.imports.upload import bulk, multipart, openapi

router = APIRouter(tags=["imports"], responses=problems(422, 503))

# Proxies close silent connections; the API promises a comment at least every 15 s.
COMMENT_SECONDS = 10


class CSVResponse(StreamingResponse):
    """A CSV that is sent while its rows are read."""

    media_type = "text/csv; charset=utf-8"


class XLSXResponse(Response):
    """An Excel workbook."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


IdempotencyKey = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+( [\x21-\x7e]+)*$")
]

BINARY = {"schema": {"type": "string", "format": "binary"}}
CSV: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {CSVResponse.media_type: BINARY}}
}
XLSX: dict[int | str, dict[str, Any]] = {
    200: {"description": "The workbook.", "content": {XLSXResponse.media_type: BINARY}}
}
LOCATION = {
    "Location": {"description": "The import's address.", "schema": {"type": "string", "format": "uri-reference"}}
}

WITH_DUPLICATES = Query(
    description="Also the rows that were not used because another one has the same SKU; their code is `duplicate`."
)


@router.post(
    "/upload-csv",
    status_code=202,
    summary="Import a CSV file",
    openapi_extra=openapi.UPLOAD_BODY,
    responses={202: {"headers": LOCATION}, **problems(400, 409, 413, 429)},
)
async def upload_csv(
    request: Request, response: Response, idempotency_key: Annotated[IdempotencyKey | None, Header()] = None
) -> ImportAccepted:
    """Store a file while it arrives, detect its format, check its header, and queue its import.

    The same file, sent again with the same `Idempotency-Key`, gets the first response and is not imported again.
    429 while too many imports are unfinished; the file is then not read.
    """
    try:
        accepted = await multipart.receive_upload(
            request.headers.get("content-type"), request.stream(), idempotency_key
        )
    except ClientDisconnect:
        raise _cut_off() from None
    return _accepted(accepted, response)


@router.post(
    "/products/bulk",
    status_code=202,
    summary="Import products as JSON Lines",
    openapi_extra=openapi.BULK_BODY,
    responses={202: {"headers": LOCATION}, **problems(400, 409, 413, 415, 429)},
)
async def import_products(
    request: Request, response: Response, idempotency_key: Annotated[IdempotencyKey | None, Header()] = None
) -> ImportAccepted:
    """Store the products while they arrive, check the keys of the first ones, and queue their import.

    It is an import like that of a file: followed, undone and reported the same way. The options are those of
    `/api/upload-csv` that mean something for JSON.
    """
    try:
        accepted = await bulk.receive_products(
            request.headers, request.query_params, request.stream(), idempotency_key
        )
    except ClientDisconnect:
        raise _cut_off() from None
    return _accepted(accepted, response)


@router.post(
    "/products/actions",
    status_code=202,
    summary="Change or delete many products",
    responses={202: {"headers": LOCATION}, **problems(400, 429)},
    openapi_extra={"parameters": [ATTRIBUTE_FILTERS]},
)
def start_product_action(
    query: Annotated[ActionQuery, Query()],
    given: ProductAction,
    response: Response,
) -> ImportAccepted:
    """Activate, deactivate, change or delete the products that match the filters, or those of them with given ids.

    It is a job like an import: followed, cancelled, retried and undone the same way, at `/api/jobs/{id}`. It takes
    the products that match when it begins; one that does not match any more at its turn stays as it is. 400 without
    filters, `product_ids` and `confirm=true`; 429 while too many imports are unfinished.
    """
    is_confirmed = query.confirm is not None
    return _accepted(db.run(actions.start_action, query.criteria(), given, is_confirmed=is_confirmed), response)


@router.get("/import-template.csv", summary="Download a template as CSV", response_class=CSVResponse, responses=CSV)
def download_csv_template() -> StreamingResponse:
    """Return a CSV to begin with: the columns of a catalogue, and two rows that say what belongs there."""
    return CSVResponse(iter([templates.csv_template()]), headers=_attachment("import-template.csv"))


@router.get(
    "/import-template.xlsx", summary="Download a template as a workbook", response_class=XLSXResponse, responses=XLSX
)
def download_xlsx_template() -> Response:
    """Return the same as an Excel workbook, whose SKUs are texts: Excel changes no digits of them."""
    return XLSXResponse(templates.xlsx_template(), headers=_attachment("import-template.xlsx"))


@router.get("/jobs", summary="List imports")
def list_imports(query: Annotated[ImportQuery, Query()]) -> ImportPage:
    """List imports, newest first."""
    return db.run(service.list_imports, query)


@router.get("/jobs/{job_id}", summary="Get an import", responses=problems(404))
def read_import(job_id: UUID) -> ImportRead:
    """Return an import's current state, progress and counts."""
    return _visible(progress.current(job_id))


@router.post("/jobs/{job_id}/cancel", status_code=202, summary="Cancel an import", responses=problems(404, 409))
def cancel_import(job_id: UUID) -> ImportRead:
    """Cancel an import after its current batch; the rows that were merged until then stay in the catalogue."""
    return db.run(service.cancel_import, job_id)


@router.post("/jobs/{job_id}/retry", status_code=202, summary="Retry an import", responses=problems(404, 409, 429))
def retry_import(job_id: UUID) -> ImportRead:
    """Continue a failed or cancelled import where it stopped, or repeat a dry run."""
    return db.run(service.retry_import, job_id)


@router.post("/jobs/{job_id}/apply", status_code=202, summary="Apply a dry run", responses=problems(404, 409, 429))
def apply_import(job_id: UUID) -> ImportRead:
    """Merge what a dry run has shown. 409 `preview-outdated` if products were changed since; `changed` counts them.

    A product that is changed during the merge is left unchanged, and its row is rejected.
    """
    return db.run(service.apply_import, job_id)


@router.post("/jobs/{job_id}/undo", status_code=202, summary="Undo an import", responses=problems(404, 409))
def undo_import(job_id: UUID) -> ImportRead:
    """Remove the products that an import created and restore those it updated; keep products changed since."""
    return db.run(service.undo_import, job_id)


@router.patch("/jobs/{job_id}/rows", summary="Edit rows", responses=problems(400, 404, 409))
def edit_import_rows(job_id: UUID, given: RowsEdit) -> EditedRows:
    """Edit rows of a finished dry run, or rejected rows of a completed import, by line or by the reason.

    Returns how each row is judged now, by itself; of those edited by reason, the first 100. The uploaded file stays
    as it is. A dry run is applied, and repeated, with its edits. An edit adds to earlier ones of the same row.
    """
    return db.run(edits.edit_rows, job_id, given)


@router.post(
    "/jobs/{job_id}/fix",
    status_code=202,
    summary="Import rejected rows again",
    responses={202: {"headers": LOCATION}, **problems(404, 409, 429)},
)
def fix_import(job_id: UUID, response: Response) -> ImportRead:
    """Start an import of the rows that a completed import rejected, with their edits and the same options.

    Rows that are still wrong are rejected again, with the same lines. `parent_id` links it to the first import.
    """
    linked = db.run(fixing.fix_import, job_id)
    response.headers["Location"] = f"/api/jobs/{linked.id}"
    return linked


@router.get("/jobs/{job_id}/changes", summary="List the changes of a dry run", responses=problems(404, 409))
def list_import_changes(job_id: UUID, query: Annotated[ChangesQuery, Query()]) -> ChangesPage:
    """List the products that a dry run would create or update, field by field."""
    return db.run(dry_runs.list_changes, job_id, query)


@router.get("/jobs/{job_id}/kept", summary="List the products that an undo kept", responses=problems(404))
def list_kept_products(job_id: UUID, query: Annotated[PageQuery, Query()]) -> UndoKeptPage:
    """List the products that an undo did not change, because they were changed since the import."""
    return db.run(service.list_undo_kept, job_id, query)


@router.get(
    "/jobs/{job_id}/rejects",
    summary="Download rejected rows",
    response_class=CSVResponse,
    responses=CSV | problems(404),
)
def download_rejects(job_id: UUID, duplicates: Annotated[bool, WITH_DUPLICATES] = False) -> StreamingResponse:
    """Return a CSV of the rows that were not imported, with line, code and reason; correct it and upload it again.

    Its columns are the file's own, followed by `_line`, `_code` and `_reason`, which an import ignores.
    """
    headers = _attachment(f"rejects-{job_id}.csv")
    return CSVResponse(rejected_rows.stream_rejects(job_id, duplicates), headers=headers)


@router.get("/jobs/{job_id}/errors", summary="List rejected rows", responses=problems(404))
def list_rejections(job_id: UUID, query: Annotated[RejectionsQuery, Query()]) -> RowRejectionPage:
    """List the rejected rows by line, with code, reason and cells."""
    return db.run(row_errors.list_rejections, job_id, query)


@router.get("/jobs/{job_id}/errors/codes", summary="Count rejected rows by code", responses=problems(404))
def list_rejection_codes(job_id: UUID) -> RejectionCounts:
    """Return the codes of the rejected rows, the most frequent first, each with its count and first lines."""
    return db.run(row_errors.count_rejections, job_id)


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow an import",
    response_class=EventSourceResponse,
    responses={204: {"description": "The import has ended, and the client has its last event."}, **problems(404)},
)
async def follow_import(job_id: UUID, last_event_id: Annotated[str | None, Header()] = None) -> Response:
    """Server-Sent Events: the import as it is now, then each change; the stream ends with a final status.

    204 to an `EventSource` that reconnects after the last event: it then stops reconnecting.
    """
    try:
        # Read before the response begins, so that an unknown import is a 404 and not an empty stream.
        changes = watching.watch(job_id)
        first = _visible(await anext(changes))
    except db.OUTAGE:
        # An EventSource that gets anything but 200 does not reconnect.
        return EventSourceResponse(_events_after_outage(job_id), ping=COMMENT_SECONDS)
    if first.is_final and last_event_id == _event_id(first):
        return Response(status_code=204)
    return EventSourceResponse(_events(first, changes), ping=COMMENT_SECONDS)


def _attachment(filename: str) -> dict[str, str]:
    """Return the headers by which a browser saves a file under this name."""
    return {"Content-Disposition": f'attachment; filename="{filename}"'}


def _cut_off() -> Invalid:
    # Usually the client is gone; one that only stopped sending still reads the response.
    return Invalid("The upload was cut off before its end and was discarded.", kind=ProblemType.BAD_FORM)


def _visible(job: ImportRead) -> ImportRead:
    """Return the job if who asks may follow it.

    Raises:
        Forbidden: they may not.
    """
    jobs.require_view(job.action.kind if job.action else None)
    return job


def _accepted(accepted: ImportRead, response: Response) -> ImportAccepted:
    response.headers["Location"] = f"/api/jobs/{accepted.id}"
    return ImportAccepted(job_id=accepted.id)


async def _events(first: ImportRead, changes: AsyncGenerator[ImportRead]) -> AsyncIterator[ServerSentEvent]:
    async with aclosing(changes):
        yield _event(first)
        async for job in changes:
            yield _event(job)


async def _events_after_outage(job_id: UUID) -> AsyncIterator[ServerSentEvent]:
    while True:
        await asyncio.sleep(db.OUTAGE_SECONDS)
        try:
            changes = watching.watch(job_id)
            first = _visible(await anext(changes))
        except db.OUTAGE:
            continue
        except (NotFound, Forbidden):
            return
        async for event in _events(first, changes):
            yield event
        return


def _event(job: ImportRead) -> ServerSentEvent:
    return ServerSentEvent(job.model_dump_json(), id=_event_id(job))


def _event_id(job: ImportRead) -> str:
    return f"{job.status}-{job.processed_rows}-{job.percent}"
