"""Products over REST: parse, call one service function, answer."""

from typing import Annotated

from fastapi import APIRouter, Query

from product_importer.catalog import service
from product_importer.catalog.schemas import ProductPage, ProductQuery
from product_importer.core import db

router = APIRouter(prefix="/products", tags=["products"])


@router.get("", summary="List products")
def list_products(query: Annotated[ProductQuery, Query()]) -> ProductPage:
    """One page of the products that match every given filter."""
    return db.run(service.list_products, query)
