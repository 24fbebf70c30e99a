"""Find products for the command palette."""

from product_importer.catalog import service
from product_importer.catalog.schemas import ProductQuery
from product_importer.ui import routes
from product_importer.ui.palette.finders import Hit
from product_importer.ui.services import ask

MAX_HITS = 8


async def find_products(text: str) -> list[Hit]:
    """Return products that have the text in their SKU, name or description."""
    found = await ask(service.list_products, ProductQuery(q=text, page_size=MAX_HITS))
    return [
        Hit(name=product.sku, note=product.name, group="Products", to=f"{routes.PRODUCTS}/{product.id}")
        for product in found.items
    ]
