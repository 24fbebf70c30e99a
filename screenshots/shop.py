"""A shop to take pictures of: the application with products, imports and webhooks of its own."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from playwright.sync_api import Browser

from tests.application import Application
from tests.browser import chromium, ensure_chromium

EMAIL, PASSWORD = "ana@shop.example", "eleven quiet kettles"
KINDS = ("Kettle", "Teapot", "Mug", "Tray", "Grater", "Whisk", "Bowl", "Jug", "Ladle", "Sieve")
MAKES = ("Enamel", "Copper", "Oak", "Steel", "Glass", "Stone")
COLOURS = ("white", "blue", "black", "red")
# Wrong in three ways, so that the page has something to mend.
WRONG = (
    "MUG-90,,Two of a kind,white,4.50",
    ",Oak tray,Without a code,black,12.00",
    "JUG-91,,No name either,blue,9.80",
)


@dataclass
class Shop:
    """The running application, its browser, an administrator's cookies, and the ids of what it holds."""

    application: Application
    browser: Browser
    signed_in: Any = None
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address of the application."""
        return self.application.url


def catalogue(rows: int, first: int = 1, *, note: str = "Washes in the machine.") -> str:
    """Return a CSV of made-up products."""
    lines = ["sku,name,description,colour,price"]
    for number in range(first, first + rows):
        kind, make = KINDS[number % len(KINDS)], MAKES[number // len(KINDS) % len(MAKES)]
        colour = COLOURS[number % len(COLOURS)]
        text = f"{make} {kind.lower()} in {colour}. {note}"
        price = f"{4 + number % 90}.50"
        lines.append(f"{kind[:3].upper()}-{number:05},{make} {kind.lower()},{text},{colour},{price}")
    return "\n".join(lines) + "\n"


@contextmanager
def open_shop() -> Iterator[Shop]:
    """Start the application with sign-in on, fill it, and stop it at the end."""
    ensure_chromium()
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    port = str(receiver.server_port)
    application = Application(AUTH="on", WORKERS="1", WEBHOOK_ALLOW_CIDRS="127.0.0.0/8", WEBHOOK_PORTS=port)
    application.start()
    try:
        with chromium() as browser:
            shop = Shop(application, browser)
            _set_up(shop)
            _fill(shop, f"http://127.0.0.1:{port}/hooks")
            yield shop
    finally:
        application.stop()
        application.remove()


class _Receiver(BaseHTTPRequestHandler):
    """Takes every delivery."""

    def do_POST(self) -> None:
        """Answer that it was received."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(httpx.codes.NO_CONTENT)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


def _set_up(shop: Shop) -> None:
    """Make the first account through the link that the application prints, and keep its cookies."""
    link = re.search(r"http\S+/setup\?token=\S+", shop.application.output.read_text())
    assert link, "the application prints the link to the first account"
    context = shop.browser.new_context(base_url=shop.url)
    page = context.new_page()
    page.goto(link[0].replace("localhost", "127.0.0.1"))
    for button in ("Create the account", "Sign in"):
        page.locator("input[name=email]").fill(EMAIL)
        page.locator("input[name=password]").fill(PASSWORD)
        page.get_by_role("button", name=button).click()
    page.get_by_test_id("person").wait_for()
    shop.signed_in = context.storage_state()
    shop.application.client.cookies.update({cookie["name"]: cookie["value"] for cookie in context.cookies()})
    context.close()


def _fill(shop: Shop, receiver: str) -> None:
    application = shop.application
    webhook = {"url": receiver, "description": "The shop's search", "event_types": ["import_completed"]}
    answer = application.client.post("/api/webhooks", json=webhook)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    shop.ids["webhook"] = answer.json()["id"]
    shop.ids["first"] = _import(application, catalogue(240), "spring-2026.csv")
    wrong = catalogue(57, 241) + "\n".join(WRONG) + "\n"
    shop.ids["rejects"] = _import(application, wrong, "new-arrivals.csv")
    changed = catalogue(60, 211, note="Now also in a set of two.") + WRONG[0] + "\n"
    shop.ids["dry-run"] = _import(application, changed, "price-list.csv", dry_run="true")


def _import(application: Application, content: str, filename: str, **options: str) -> str:
    answer = application.client.post(
        "/api/upload-csv", data=options, files={"file": (filename, content.encode(), "text/csv")}
    )
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    job_id = str(answer.json()["job_id"])
    with application.client.stream("GET", f"/api/jobs/{job_id}/events") as events:
        # The stream ends with the import.
        for _ in events.iter_lines():
            pass
    return job_id
