"""Measure load times and transferred bytes of the pages in Chromium."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext

from bench.catalogue import Catalogue
from bench.results import Section, median
from bench.subject import Subject
from tests.browser import chromium, ensure_chromium

ROUNDS = 5
PAGES = {"/products": "product-row", "/imports": "import-file", "/webhooks": "webhook-new"}
MAX_ROWS = 50_000
# Milliseconds from the start of the navigation to the first contentful paint.
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"

NOTE = f"""In headless Chromium on the same machine, so without a network's delay. A page is interactive when its
first content is there, such as the first rows of products, which takes scripts, websocket and a query. First visits
have an empty cache, second visits the first's. Bytes are those on the wire, as they were encoded. Median
of {ROUNDS}."""


@dataclass
class Visit:
    """The measurements of one visit."""

    painted: float = 0.0
    interactive: float = 0.0
    requests: int = 0
    transferred: float = 0.0
    encodings: set[str] = field(default_factory=set)


def measure(subject: Subject) -> Section:
    """Visit each page as a new visitor and again."""
    ensure_chromium()
    subject.hold(Catalogue(min(MAX_ROWS, subject.rows)))
    head = ("page", "visit", "first paint, ms", "interactive, ms", "requests", "kB on the wire", "encoded")
    section = Section("Page", NOTE, head)
    with _browser(subject.application.url) as new_context:
        for path, testid in PAGES.items():
            pairs = [_two_visits(new_context(), path, testid) for _ in range(ROUNDS)]
            for name, visits in zip(("first", "second"), zip(*pairs, strict=True), strict=True):
                section.lines.append((f"`{path}`", name, *_cells(list(visits))))
    first, second = section.lines[:2]
    cells = (f"{first[3]} ms, {first[5]} kB", f"second visit: {second[3]} ms, {second[5]} kB")
    section.summary = [("first visit until usable", *cells, f"{float(first[3]) / float(second[3]):.2f} × as long")]
    return section


@contextmanager
def _browser(url: str) -> Iterator[Any]:
    with chromium() as browser:
        yield lambda: browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})


def _two_visits(context: BrowserContext, path: str, testid: str) -> tuple[Visit, Visit]:
    visits = _visit(context, path, testid), _visit(context, path, testid)
    context.close()
    return visits


def _visit(context: BrowserContext, path: str, testid: str) -> Visit:
    page, visit = context.new_page(), Visit()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.responseReceived", lambda event: _note(visit, event["response"]))
    wire.on("Network.loadingFinished", lambda event: _add(visit, event["encodedDataLength"]))
    page.goto(path, wait_until="commit")
    page.get_by_test_id(testid).first.wait_for()
    visit.interactive = page.evaluate("() => performance.now()")
    page.wait_for_load_state("networkidle")
    visit.painted = page.evaluate(PAINTED)
    page.close()
    return visit


def _note(visit: Visit, response: dict[str, Any]) -> None:
    headers = {name.lower(): value for name, value in response["headers"].items()}
    if not response.get("fromDiskCache"):
        visit.encodings.add(headers.get("content-encoding", "plain"))


def _add(visit: Visit, transferred: float) -> None:
    # Responses from the cache have no transferred bytes.
    if transferred:
        visit.requests += 1
        visit.transferred += transferred


def _cells(visits: list[Visit]) -> tuple[str, ...]:
    figures = (
        median(visit.painted for visit in visits),
        median(visit.interactive for visit in visits),
        median(visit.requests for visit in visits),
        median(visit.transferred for visit in visits) / 1000,
    )
    return (*(f"{figure:.0f}" for figure in figures), ", ".join(sorted(visits[0].encodings)) or "all from the cache")
