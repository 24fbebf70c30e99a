"""Run a service in a thread; map outages to `Unavailable`."""

import asyncio
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from pydantic import BaseModel
from sqlmodel import Session

from product_importer.core import db
from product_importer.core.outages import unavailable
from product_importer.core.pagination import Page

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Query = TypeVar("Query", bound=BaseModel)
PageResult = TypeVar("PageResult", bound=Page[Any])


async def ask(
    service: Callable[Concatenate[Session, Parameters], Result],
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> Result:
    """Call `service(session, …)` in a thread, with a transaction of its own.

    Raises:
        DomainError: the service raised it; `Unavailable` where the database does not answer.
    """
    try:
        return await asyncio.to_thread(db.run, service, *args, **kwargs)
    except db.OUTAGE as error:
        raise unavailable(error) from error


async def ask_page(service: Callable[[Session, Query], PageResult], query: Query) -> PageResult:
    """Return the page that `query` asks for; the last page where the list has become shorter than that.

    Raises:
        DomainError: as `ask` does.
    """
    found = await ask(service, query)
    if not found.items and found.page > found.pages:
        return await ask(service, query.model_copy(update={"page": found.pages}))
    return found
