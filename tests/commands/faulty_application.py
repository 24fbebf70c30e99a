"""An ASGI application that fails, behind Granian: `python -m tests.commands.faulty_application PORT`."""

import asyncio
import logging
import sys
import threading
import warnings
from typing import Any

from granian.constants import Interfaces
from granian.server.mp import MPServer

from product_importer.core.logging import logs


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """Log the body of a request and raise it in exceptions, in every possible way."""
    if scope["type"] != "http":
        return
    body = (await receive())["body"].decode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
    logging.getLogger("faulty").error("%s %s", body, scope)
    logging.getLogger("faulty").error("%d is no number", body)
    warnings.warn(body, stacklevel=1)
    threading.Thread(target=fail, args=(body, scope)).start()
    task = asyncio.create_task(fail_later(body, scope))
    await asyncio.wait([task])
    del task
    fail(body, scope)


def fail(body: str, scope: Any) -> None:
    try:
        raise ValueError(body)
    except ValueError as cause:
        raise ExceptionGroup(f"{body} {scope['headers']}", [KeyError(body)]) from cause


async def fail_later(body: str, scope: Any) -> None:
    fail(body, scope)


def application() -> Any:
    """Return the application that the server's worker process runs."""
    logs.configure()
    return answer


def main(port: int) -> None:
    logs.configure()
    MPServer(
        "tests.commands.faulty_application:application", factory=True, interface=Interfaces.ASGI, port=port
    ).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]))
