"""Run a receiver in its own process: `python -m tests.webhooks.receiver PORT FILE [DELAY [FAULTS]]`.

It answers after DELAY seconds and writes each request as a line of JSON. With FAULTS, that share of the messages gets
a 500 at its first attempt, and the same share gets no answer.
"""

import asyncio
import base64
import hashlib
import json
import sys
import time
from typing import TextIO

ANSWER = b"HTTP/1.1 %d Answer\r\nContent-Length: 2\r\n\r\nok"
# Longer than the sender's time limit.
SILENCE_SECONDS = 60


class Receiver:
    """Serves any number of connections."""

    def __init__(self, log: TextIO, delay: float, faults: float):
        self._log = log
        self._delay = delay
        self._faults = faults
        self._known: set[str] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
                body = await reader.readexactly(int(headers["content-length"]))
                path = head[0].split(" ")[1]
                writer.write(ANSWER % await self._answer(path, headers, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, path: str, headers: dict[str, str], body: bytes) -> int:
        line = {"path": path, "at": time.time(), "headers": headers, "body": base64.b64encode(body).decode()}
        message = f"{path} {headers['webhook-id']}"
        status, silent = 200, False
        if message not in self._known:
            self._known.add(message)
            chance = int.from_bytes(hashlib.sha256(message.encode()).digest()[:4], "big") / 2**32
            status, silent = (500 if chance < self._faults else 200), self._faults <= chance < 2 * self._faults
        self._log.write(json.dumps(line | {"status": 0 if silent else status}) + "\n")
        await asyncio.sleep(SILENCE_SECONDS if silent else self._delay)
        return status


async def main(port: str, file: str, delay: str = "0", faults: str = "0") -> None:
    with open(file, "w", buffering=1) as log:  # noqa: ASYNC230, PTH123
        receiver = Receiver(log, float(delay), float(faults))
        server = await asyncio.start_server(receiver.serve, "127.0.0.1", int(port), backlog=1024)
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
