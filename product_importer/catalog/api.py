"""Products over REST: parse, call one service function, answer."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from product_importer.catalog import service
from product_importer.catalog.etags import TAGS_PATTERN, etag, expected_versions, is_known
from product_importer.catalog.export import Export
from product_importer.catalog.schemas import (
    ProductCreate,
    ProductFilter,
    ProductPage,
    ProductQuery,
    ProductRead,
    ProductUpdate,
)
from product_importer.core import db
from product_importer.core.errors import Invalid, UnsupportedMedia, problems
from product_importer.core.problem_types import ProblemType

router = APIRouter(prefix="/products", tags=["products"], responses=problems(422, 503))


class CSVResponse(StreamingResponse):
    """Rows as they are read from the database."""

    media_type = "text/csv; charset=utf-8"


class Deleted(BaseModel):
    """How many products were deleted."""

    deleted: int


def require_json(request: Request) -> None:
    """Refuse a body that does not say that it is JSON.

    Raises:
        UnsupportedMedia: it says something else, or nothing.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMedia("Send the product as application/json.")


# A path whose last part is no UUID is not one of these: 404, or 405 where it is another route's.
ProductId = Annotated[UUID, Path(description="A product's `id`.")]
IfMatch = Annotated[
    str | None,
    Header(
        description='Entity tags of which one must be current, such as `"3"`, or `*`; otherwise 412.',
        json_schema_extra={"pattern": TAGS_PATTERN},
    ),
]
IfNoneMatch = Annotated[str | None, Header(description="The entity tag that is known already: 304 if it is current.")]
JSON_BODY = [Depends(require_json)]

ETAG: dict[str, Any] = {
    "ETag": {"description": "The product's version, for `If-Match`.", "schema": {"type": "string", "example": '"3"'}}
}
LOCATION: dict[str, Any] = {
    "Location": {"description": "The product's address.", "schema": {"type": "string", "format": "uri-reference"}}
}
# Documented as required, though it is this application that misses it: 400, as the contract has it, and not 422.
CONFIRM: dict[str, Any] = {
    "name": "confirm",
    "in": "query",
    "required": True,
    "description": "`true`, or nothing happens.",
    "schema": {"type": "string", "enum": ["true"]},
}
TAGGED: dict[int | str, dict[str, Any]] = {200: {"headers": ETAG}}
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "The product is still the same.", "headers": ETAG}}


@router.head("", include_in_schema=False)
@router.get("", summary="List products")
def list_products(query: Annotated[ProductQuery, Query()]) -> ProductPage:
    """One page of the products that match every given filter, by number or by the cursor of the page before."""
    return db.run(service.list_products, query)


@router.post(
    "",
    status_code=201,
    summary="Create a product",
    dependencies=JSON_BODY,
    responses={201: {"headers": ETAG | LOCATION}, **problems(400, 409, 415)},
)
def create_product(given: ProductCreate, response: Response) -> ProductRead:
    """409 where the SKU exists in any case; `product_id` then says which product has it."""
    product = db.run(service.create_product, given)
    response.headers["Location"] = f"/api/products/{product.id}"
    return _tagged(product, response)


@router.delete(
    "", summary="Delete all products", responses=problems(400, 409), openapi_extra={"parameters": [CONFIRM]}
)
def delete_all_products(confirm: Annotated[str, Query(include_in_schema=False)] = "") -> Deleted:
    """Every product at once. 400 without `confirm=true`, 409 while an import is unfinished."""
    if confirm != "true":
        raise Invalid("This deletes every product. Say confirm=true if you mean it.", kind=ProblemType.NOT_CONFIRMED)
    return Deleted(deleted=db.run(service.delete_all_products))


@router.get("/export", summary="Export products as CSV", response_class=CSVResponse)
def export_products(chosen: Annotated[ProductFilter, Query()]) -> StreamingResponse:
    """The products that match, streamed: sku, name, description, active, then each attribute in use.

    Imported again, it changes nothing. A cell that a spreadsheet would run as a formula begins with one more
    apostrophe, which an import takes off.
    """
    return CSVResponse(Export(chosen), headers={"Content-Disposition": 'attachment; filename="products.csv"'})


@router.head("/{product_id:uuid}", include_in_schema=False)
@router.get("/{product_id:uuid}", summary="One product", responses=TAGGED | UNCHANGED | problems(404))
def read_product(product_id: ProductId, response: Response, if_none_match: IfNoneMatch = None) -> Any:
    """A product, with its version as `ETag`."""
    product = db.run(service.read_product, product_id)
    if is_known(if_none_match, product.version):
        return Response(status_code=304, headers={"ETag": etag(product.version)})
    return _tagged(product, response)


CHANGES: dict[str, Any] = {
    "dependencies": JSON_BODY,
    "responses": TAGGED | problems(400, 404, 409, 412, 415),
    "description": "Changes the fields that are given, attributes as a whole; the others stay as they are. "
    "Without any difference the version stays, too.",
}


@router.put("/{product_id:uuid}", summary="Change a product", **CHANGES)
def put_product(
    product_id: ProductId, given: ProductUpdate, response: Response, if_match: IfMatch = None
) -> ProductRead:
    """Change the given fields."""
    return _tagged(db.run(service.update_product, product_id, given, expected_versions(if_match)), response)


@router.patch("/{product_id:uuid}", summary="Change fields of a product", **CHANGES)
def patch_product(
    product_id: ProductId, given: ProductUpdate, response: Response, if_match: IfMatch = None
) -> ProductRead:
    """Change the given fields."""
    return put_product(product_id, given, response, if_match)


@router.delete("/{product_id:uuid}", status_code=204, summary="Delete a product", responses=problems(400, 404, 412))
def delete_product(product_id: ProductId, if_match: IfMatch = None) -> None:
    """The product is gone; 412 when it was changed since the version that `If-Match` names."""
    db.run(service.delete_product, product_id, expected_versions(if_match))


def _tagged(product: ProductRead, response: Response) -> ProductRead:
    response.headers["ETag"] = etag(product.version)
    return product
