"""What a visitor's browser loads for a page: all scripts and styles, as they are sent."""

import pytest
from playwright.sync_api import Page, expect

from product_importer.ui import routes
from tests.application import Application, catalogue

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
def import_address(application: Application) -> str:
    """The address of an import that has ended."""
    job_id = application.upload(catalogue(3))
    application.finished(job_id)
    return f"{routes.IMPORTS}/{job_id}"


@pytest.mark.parametrize(
    "address", [routes.PRODUCTS, routes.IMPORTS, routes.WEBHOOKS, routes.ACCOUNT, routes.TOKENS, routes.AUDIT]
)
def test_a_page_stays_light(address: str, page: Page):
    expect_light(page, address)


def test_the_page_of_an_import_stays_light(page: Page, import_address: str):
    expect_light(page, import_address)


def expect_light(page: Page, address: str) -> None:
    """Load a page, and compare what was sent with the limit."""
    transfers = Transfers(page)
    page.goto(address, wait_until="networkidle")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    sizes = transfers.sizes()
    assert any(url.endswith(".js") for url in sizes) and any(url.endswith(".css") for url in sizes), sizes
    assert transfers.uncompressed() == []
    assert sum(sizes.values()) < MAX_BYTES, sizes
