"""The application: pages and REST in one ASGI app. It composes and does nothing else."""

import reflex as rx

from product_importer import background
from product_importer.api import api
from product_importer.catalog.page import products_page
from product_importer.catalog.state import CatalogState
from product_importer.imports.page import import_page, imports_page
from product_importer.imports.state import ImportState
from product_importer.ui import routes, theme

app = rx.App(
    api_transformer=api,
    head_components=theme.head(),
    stylesheets=theme.STYLESHEETS,
    html_lang="en",
)
app.add_page(products_page, route=routes.PRODUCTS, title=theme.title("Products"), on_load=CatalogState.open_products)
app.add_page(imports_page, route=routes.IMPORTS, title=theme.title("Imports"), on_load=ImportState.open_imports)
app.add_page(import_page, route=routes.IMPORT, title=theme.title("Import"), on_load=ImportState.open_import)
app.register_lifespan_task(background.run)
