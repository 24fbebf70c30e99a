"""Export products from the server of another machine."""

from collections.abc import Iterator

from product_importer.catalog.export_query import ExportQuery
from product_importer.commands.remote.server import Server


def pieces(server: Server, query: ExportQuery) -> Iterator[bytes]:
    """Yield the file as it arrives.

    Raises:
        RemoteError: the server refuses, or there is no answer; also while the file arrives.
    """
    chosen = query.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    with server.answer("GET", "/api/products/export", params=chosen) as answer:
        yield from answer.iter_bytes()
