"""What a visitor's browser loads for a page: all scripts and styles, as they are sent."""

import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.e2e.page_states import STATES, made

pytestmark = pytest.mark.e2e
MAX_BYTES = 400_000
KINDS = ("Script", "Stylesheet")
# A file of fewer bytes may be larger when it is compressed.
MIN_COMPRESSED = 1_500


class Transfers:
    """The scripts and styles that a page receives, by their address."""

    def __init__(self, page: Page) -> None:
        self.answers: dict[str, dict] = {}
        self.bytes: dict[str, int] = {}
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.responseReceived", self._begin)
        session.on("Network.loadingFinished", self._end)

    def _begin(self, event: dict) -> None:
        if event["type"] in KINDS:
            self.answers[event["requestId"]] = event["response"]

    def _end(self, event: dict) -> None:
        if event["requestId"] in self.answers:
            self.bytes[event["requestId"]] = event["encodedDataLength"]

    def sizes(self) -> dict[str, int]:
        """Return the bytes that were sent for each file, its headers included."""
        return {self.answers[request]["url"]: size for request, size in self.bytes.items()}

    def uncompressed(self) -> list[str]:
        """Return the files that were sent as they are, although they are not small."""
        return [
            self.answers[request]["url"]
            for request, size in self.bytes.items()
            if size > MIN_COMPRESSED and "content-encoding" not in self.answers[request]["headers"]
        ]


@pytest.fixture(scope="module")
def ids(application: Application) -> dict[str, str]:
    """What the addresses of the pages name."""
    return made(application)


@pytest.mark.parametrize(
    "name",
    [
        "overview",
        "products",
        "product",
        "imports",
        "import",
        "webhooks",
        "webhook",
        "record",
        "tokens",
        "account",
        "not found",
    ],
)
def test_a_page_stays_light(name: str, page: Page, ids: dict[str, str]):
    transfers = Transfers(page)
    page.goto(STATES[name].address.format(**ids), wait_until="networkidle")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    sizes = transfers.sizes()
    assert any(url.endswith(".js") for url in sizes) and any(url.endswith(".css") for url in sizes), sizes
    assert transfers.uncompressed() == []
    assert sum(sizes.values()) < MAX_BYTES, sizes
