"""Keep views of the list of products under names: what is listed, in which order, and with which columns."""

import json
import math
from typing import Any

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from product_importer.catalog.models import SavedView
from product_importer.catalog.schemas import is_storable
from product_importer.core.edges import trim
from product_importer.core.errors import Conflict, NotFound, Unprocessable

MAX_VIEWS = 200
MAX_NAME = 100
# Of the settings of one view, in characters.
MAX_SETTINGS = 50_000
# Two people who save at once could exceed the maximum, or take one name; readers do not wait.
LOCK = text("LOCK TABLE saved_view IN SHARE ROW EXCLUSIVE MODE")

# What a view shows, as the page reads it: parameters of its address, and the layout of its grid.
Settings = dict[str, Any]


def list_views(session: Session) -> list[SavedView]:
    """Return all views in the order of their names without case."""
    return list(session.scalars(select(SavedView).order_by(col(SavedView.name_key))))


def find_view(session: Session, name: str) -> SavedView:
    """Return the view of this name, in any case.

    Raises:
        NotFound: there is none.
    """
    found = session.get(SavedView, _key(name)) if is_storable(name) else None
    if found is None:
        raise NotFound("There is no view of this name. Somebody may have renamed or deleted it.")
    return found


def create_view(session: Session, name: str, settings: Settings) -> SavedView:
    """Save a view under a new name.

    Raises:
        Unprocessable: the name is not possible, or the settings are too long or cannot be stored.
        Conflict: a view has the name, in any case, or `MAX_VIEWS` are saved already.
    """
    name = _checked_name(name)
    session.execute(LOCK)
    _require_free(session, name)
    if (session.scalar(select(func.count()).select_from(SavedView)) or 0) >= MAX_VIEWS:
        raise Conflict(f"There are {MAX_VIEWS} views already. Delete one first.")
    return _write(session, SavedView(name_key=_key(name), name=name), settings)


def update_view(session: Session, name: str, settings: Settings) -> SavedView:
    """Save other settings under the name of a view.

    Raises:
        NotFound: there is no view of this name.
        Unprocessable: the settings are too long or cannot be stored.
    """
    return _write(session, find_view(session, name), settings)


def rename_view(session: Session, name: str, to: str) -> SavedView:
    """Give a view another name.

    Raises:
        NotFound: there is no view of this name.
        Unprocessable: the new name is not possible.
        Conflict: another view has the new name, in any case.
    """
    to = _checked_name(to)
    session.execute(LOCK)
    view = find_view(session, name)
    if _key(to) != view.name_key:
        _require_free(session, to)
    view.name_key, view.name = _key(to), to
    return _write(session, view, view.settings)


def delete_view(session: Session, name: str) -> None:
    """Delete the view of this name.

    Raises:
        NotFound: there is none.
    """
    session.delete(find_view(session, name))
    session.flush()


def _write(session: Session, view: SavedView, settings: Settings) -> SavedView:
    if not _can_be_stored(settings):
        raise Unprocessable("A filter or the name of a column holds characters that cannot be stored.")
    if len(json.dumps(settings)) > MAX_SETTINGS:
        raise Unprocessable(
            "The filters and columns are too many for a view. Hide some columns, or shorten a filter."
        )
    view.settings, view.updated_at = settings, session.scalar(select(func.now()))
    session.add(view)
    session.flush()
    return view


def _can_be_stored(settings: Any) -> bool:
    """Whether PostgreSQL can store the settings, which a browser has sent: any text or number may be in them."""
    match settings:
        case str():
            return is_storable(settings)
        case float():
            return math.isfinite(settings)
        case dict():
            return all(map(_can_be_stored, (*settings, *settings.values())))
        case list() | tuple():
            return all(map(_can_be_stored, settings))
    return True


def _require_free(session: Session, name: str) -> None:
    if session.get(SavedView, _key(name)) is not None:
        raise Conflict(f"There is a view “{name}” already. Choose another name, or update that view.")


def _key(name: str) -> str:
    return trim(name).casefold()


def _checked_name(name: str) -> str:
    name = trim(name)
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        message = f"Give the view a name of 1 to {MAX_NAME} visible characters."
        raise Unprocessable(message, errors=[{"field": "name", "message": message}])
    return name
