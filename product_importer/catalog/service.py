"""What can be done with products. Services never commit: the caller owns the transaction."""

from sqlalchemy import func
from sqlmodel import Session, select

from product_importer.catalog import search
from product_importer.catalog.models import Product
from product_importer.catalog.schemas import ProductPage, ProductQuery, ProductRead


def list_products(session: Session, query: ProductQuery) -> ProductPage:
    """Return the page of products that `query` asks for, and how many match in all."""
    count = select(func.count()).select_from(Product).where(*search.conditions(query))
    return ProductPage(
        items=[ProductRead.model_validate(row) for row in session.scalars(search.matching(query))],
        total=session.scalar(count) or 0,
        page=query.page,
        page_size=query.page_size,
    )
