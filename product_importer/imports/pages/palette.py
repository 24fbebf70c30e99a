"""Find imports for the command palette."""

from product_importer.imports import service
from product_importer.imports.schemas import ImportQuery
from product_importer.ui import routes
from product_importer.ui.palette.finders import Hit
from product_importer.ui.services import ask

MAX_HITS = 4


async def find_imports(text: str) -> list[Hit]:
    """Return the newest imports whose file name contains the text."""
    found = await ask(service.list_imports, ImportQuery(q=text, page_size=MAX_HITS))
    return [
        Hit(name=job.filename, note=job.status, group="Imports", to=f"{routes.IMPORTS}/{job.id}")
        for job in found.items
    ]
