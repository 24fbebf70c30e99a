"""How a page asks a service: never on the event loop, and an outage becomes a refusal in words."""

import asyncio
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlmodel import Session

from product_importer.core import db
from product_importer.core.errors import Unavailable

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


async def ask(
    service: Callable[Concatenate[Session, Parameters], Result],
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> Result:
    """Call `service(session, …)` in a thread and in a transaction of its own.

    Raises:
        DomainError: the service refuses; `Unavailable` where the database does not answer.
    """
    try:
        return await asyncio.to_thread(db.run, service, *args, **kwargs)
    except db.OUTAGE as error:
        raise Unavailable("The database does not answer. Try again.") from error
