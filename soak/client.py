"""Requests that are repeated over outages: a killed process or server is no error of the application."""

import itertools
import time
from dataclasses import dataclass
from typing import Any

import httpx

OUTAGE_SECONDS = 180
PAUSE_SECONDS = 0.5
# Says that it cannot answer now, or that too much is asked of it.
AGAIN = (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS, httpx.codes.REQUEST_TIMEOUT)


@dataclass(frozen=True)
class Answer:
    """A response; `repeated` says that an earlier request may have been carried out without an answer."""

    status: int
    body: Any
    repeated: bool


class Client:
    """Asks the web processes in turn. Each thread has one of its own."""

    def __init__(self, urls: list[str]):
        self._clients = itertools.cycle([httpx.Client(base_url=url, timeout=60) for url in urls])

    def send(self, method: str, path: str, **given: Any) -> Answer:
        """Send a request, again and again while nobody answers it.

        Raises:
            AssertionError: nobody answered for so long, or the answer is an error of the application.
        """
        deadline, repeated = time.monotonic() + OUTAGE_SECONDS, False
        while True:
            try:
                response = next(self._clients).request(method, path, **given)
                if response.status_code not in AGAIN:
                    return _answer(response, repeated)
                last = f"{response.status_code} {response.text[:200]}"
            except httpx.TransportError as error:
                last = repr(error)
            repeated = True
            assert time.monotonic() < deadline, f"{method} {path}: nobody answers: {last}"
            time.sleep(PAUSE_SECONDS)

    def get(self, path: str, **given: Any) -> Any:
        """Return the JSON of a resource that must be there."""
        answer = self.send("GET", path, **given)
        assert answer.status == httpx.codes.OK, f"GET {path}: {answer.status} {answer.body}"
        return answer.body


def _answer(response: httpx.Response, repeated: bool) -> Answer:
    status = response.status_code
    assert status < httpx.codes.INTERNAL_SERVER_ERROR, f"{response.request.url}: {status} {response.text[:500]}"
    is_json = "json" in response.headers.get("content-type", "") and response.content[:1] in b"{["
    try:
        body = response.json() if is_json else None
    except ValueError:
        body = None
    return Answer(status, body, repeated)
