"""REST routes of products. Each calls one function of the service."""

from typing import Annotated, Any
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from product_importer.catalog import record, service
from product_importer.catalog.etags import TAGS_PATTERN, etag, expected_versions, is_known
from product_importer.catalog.export import FORMATS, Export
from product_importer.catalog.export_query import ExportQuery
from product_importer.catalog.history import reading as history
from product_importer.catalog.history.schemas import HistoryPage
from product_importer.catalog.schemas import (
    ATTRIBUTE_FILTERS,
    ProductCreate,
    ProductPage,
    ProductQuery,
    ProductRead,
    ProductUpdate,
)
from product_importer.catalog.search import product_query
from product_importer.core import db
from product_importer.core.errors import Invalid, UnsupportedMedia, problems
from product_importer.core.pagination import PageQuery
from product_importer.core.problem_types import ProblemType

# Lists that take a millisecond or two: more threads would only take the processor away from each other. What may wait
# longer for PostgreSQL has the threads of all other routes.
QUICK = CapacityLimiter(4)
# While PostgreSQL is away nothing is quick: then more than these do not wait for each other.
MAX_WAITING = 64

router = APIRouter(prefix="/products", tags=["products"], responses=problems(422, 503))


class ExportResponse(StreamingResponse):
    """A file that is sent while products are read; the export ends with it, also when the client goes.

    Its end is recorded, with what was read until then.
    """

    def __init__(self, export: Export, query: ExportQuery) -> None:
        headers = {"Content-Disposition": f'attachment; filename="products.{query.format}"'}
        super().__init__(export, headers=headers, media_type=FORMATS[query.format].media_type)
        self._export, self._query = export, query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await run_in_threadpool(self._export.close)
            await run_in_threadpool(db.run, record.exported, self._query, self._export.rows)


class Deleted(BaseModel):
    """How many products were deleted."""

    deleted: int


def require_json(request: Request) -> None:
    """Refuse a body whose content type is not JSON.

    Raises:
        UnsupportedMedia: the content type is another one, or missing.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMedia("Send the product as application/json.")


# A path whose last part is not a UUID matches no route with this parameter: 404, or 405 where another route matches.
ProductId = Annotated[UUID, Path(description="A product's `id`.")]
IfMatch = Annotated[
    str | None,
    Header(
        description='Entity tags, such as `"3"`, or `*`. If none is current, 412.',
        json_schema_extra={"pattern": TAGS_PATTERN},
    ),
]
IfNoneMatch = Annotated[str | None, Header(description="Known entity tags. If one is current, 304.")]
JSON_BODY = [Depends(require_json)]

ETAG: dict[str, Any] = {
    "ETag": {"description": "The product's version, for `If-Match`.", "schema": {"type": "string", "example": '"3"'}}
}
LOCATION: dict[str, Any] = {
    "Location": {"description": "The product's address.", "schema": {"type": "string", "format": "uri-reference"}}
}
# Documented as required. The route checks it itself, because a missing one is 400 and not FastAPI's 422.
CONFIRM: dict[str, Any] = {
    "name": "confirm",
    "in": "query",
    "required": True,
    "description": "Must be `true`, or nothing is deleted.",
    "schema": {"type": "string", "enum": ["true"]},
}
FILTERED: dict[str, Any] = {"parameters": [ATTRIBUTE_FILTERS]}
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            format.media_type: {"schema": {"type": "string", "format": "binary"}} for format in FORMATS.values()
        },
    }
}
TAGGED: dict[int | str, dict[str, Any]] = {200: {"headers": ETAG}}
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "The product has not changed.", "headers": ETAG}}


@router.head("", include_in_schema=False, openapi_extra=FILTERED)
@router.get("", summary="List products", response_model=ProductPage, openapi_extra=FILTERED)
async def list_products(query: Annotated[ProductQuery, Query()]) -> Response:
    """Return one page of the products that match all given filters, by page number or by cursor."""
    is_quick = product_query.is_quick(query) and QUICK.statistics().tasks_waiting < MAX_WAITING
    limiter = QUICK if is_quick else None
    return await to_thread.run_sync(_list_products, query, limiter=limiter)


def _list_products(query: ProductQuery) -> Response:
    # Written here: FastAPI would check each product once more.
    page = db.run(service.list_products, query)
    return Response(page.model_dump_json(), media_type="application/json")


@router.post(
    "",
    status_code=201,
    summary="Create a product",
    dependencies=JSON_BODY,
    responses={201: {"headers": ETAG | LOCATION}, **problems(400, 409, 415)},
)
def create_product(given: ProductCreate, response: Response) -> ProductRead:
    """Create a product. 409 if the SKU exists in any case; `product_id` is then the id of that product."""
    product = db.run(service.create_product, given)
    response.headers["Location"] = f"/api/products/{product.id}"
    return _with_etag(product, response)


@router.delete(
    "", summary="Delete all products", responses=problems(400, 409), openapi_extra={"parameters": [CONFIRM]}
)
def delete_all_products(confirm: Annotated[str, Query(include_in_schema=False)] = "") -> Deleted:
    """Delete every product at once. 400 without `confirm=true`, 409 while an import is unfinished."""
    if confirm != "true":
        raise Invalid("This deletes every product. Send confirm=true to confirm.", kind=ProblemType.NOT_CONFIRMED)
    return Deleted(deleted=db.run(service.delete_all_products))


@router.get(
    "/export", summary="Export products", response_class=StreamingResponse, responses=FILES, openapi_extra=FILTERED
)
async def export_products(request: Request, query: Annotated[ExportQuery, Query()]) -> StreamingResponse:
    """Send the products that match as a file: sku, name, description, active, then each attribute in use.

    Importing the file again changes nothing. In CSV, cells that a spreadsheet would run as a formula begin with an
    additional apostrophe, which an import removes. 422 if a column does not exist, or if the products do not fit the
    format: a workbook has at most 1,048,576 rows, and 32,767 characters in a cell.
    """
    export = await run_in_threadpool(Export, query, query.columns, query.format, query.product_id)
    try:
        # A client that is gone gets a response that ends at once.
        while not export.is_prepared and not await request.is_disconnected():
            await run_in_threadpool(export.prepare)
    except BaseException:
        await run_in_threadpool(export.close)
        raise
    return ExportResponse(export, query)


@router.head("/{product_id:uuid}", include_in_schema=False)
@router.get(
    "/{product_id:uuid}",
    summary="One product",
    response_model=ProductRead,
    responses=TAGGED | UNCHANGED | problems(404),
)
def read_product(product_id: ProductId, response: Response, if_none_match: IfNoneMatch = None) -> Any:
    """Return a product, with its version as `ETag`."""
    product = db.run(service.read_product, product_id)
    if is_known(if_none_match, product.version):
        return Response(status_code=304, headers={"ETag": etag(product.version)})
    return _with_etag(product, response)


CHANGES: dict[str, Any] = {
    "dependencies": JSON_BODY,
    "responses": TAGGED | problems(400, 404, 409, 412, 415),
    "description": "Changes the given fields; attributes are replaced as a whole. The other fields stay. "
    "If no value differs, the version stays, too.",
}


@router.put("/{product_id:uuid}", summary="Change a product", **CHANGES)
def put_product(
    product_id: ProductId, given: ProductUpdate, response: Response, if_match: IfMatch = None
) -> ProductRead:
    """Change the given fields."""
    return _with_etag(db.run(service.update_product, product_id, given, expected_versions(if_match)), response)


@router.patch("/{product_id:uuid}", summary="Change fields of a product", **CHANGES)
def patch_product(
    product_id: ProductId, given: ProductUpdate, response: Response, if_match: IfMatch = None
) -> ProductRead:
    """Change the given fields."""
    return put_product(product_id, given, response, if_match)


@router.head("/{product_id:uuid}/history", include_in_schema=False)
@router.get("/{product_id:uuid}/history", summary="The history of a product", responses=problems(404))
def list_product_history(product_id: ProductId, query: Annotated[PageQuery, Query()]) -> HistoryPage:
    """Return what changed a product, newest first; also of a deleted one, as long as the record has it.

    Changes by hand are known for `AUDIT_RETENTION_DAYS`, what an import has overwritten for `UNDO_DAYS`, and which
    import created the product for ever.
    """
    return db.run(history.list_history, product_id, query)


@router.delete("/{product_id:uuid}", status_code=204, summary="Delete a product", responses=problems(400, 404, 412))
def delete_product(product_id: ProductId, if_match: IfMatch = None) -> None:
    """Delete a product. 412 if it has another version than `If-Match` names."""
    db.run(service.delete_product, product_id, expected_versions(if_match))


def _with_etag(product: ProductRead, response: Response) -> ProductRead:
    response.headers["ETag"] = etag(product.version)
    return product
