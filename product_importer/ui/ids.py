"""Read ids that come from the browser."""

from uuid import UUID

from product_importer.core.errors import NotFound


def parse_id(text: str, what: str) -> UUID:
    """Return the id that a text is; `what` names what it should be the id of.

    Raises:
        NotFound: it is none, so nothing has it.
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"There is no such {what}.") from None


def id_in_path(path: str) -> str:
    """Return the id at the end of a page's path, as it was typed."""
    return path.rstrip("/").rpartition("/")[2]
