"""Hostile files, uploaded to the whole application: other requests are answered, and the page shows the error."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.e2e.test_imports_page import choose
from tests.imports.parsing.test_hostile import BAD_WORKBOOKS, wide

pytestmark = pytest.mark.e2e
SECONDS = 30_000


@pytest.mark.parametrize("shape", ["a format code of brackets", "a nested sheet", "nested styles without an end"])
def test_other_requests_are_answered_while_a_workbook_is_checked(application: Application, shape: str):
    """A format code of brackets once blocked the interpreter, and with it all answers, for minutes."""
    content = BAD_WORKBOOKS[shape]()
    with ThreadPoolExecutor(3) as pool:
        uploads = [
            pool.submit(
                httpx.post, f"{application.url}/api/upload-csv", files={"file": ("a.xlsx", content)}, timeout=60
            )
            for _ in range(3)
        ]
        while not all(upload.done() for upload in uploads):
            assert application.client.get("/api/health").status_code == 200
    assert [upload.result().status_code for upload in uploads] == [400] * 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BAD_WORKBOOKS["a format code of brackets"](), "at most 255 are allowed"),
        (",".join(wide(2_001)).encode(), "at most 2,000 are read"),
    ],
)
def test_the_page_says_why_a_file_is_rejected(page: Page, content: bytes, words: str):
    choose(page, content, "catalogue.xlsx")
    page.get_by_test_id("import-start").click()
    expect(page.get_by_test_id("import-error")).to_contain_text(words, timeout=SECONDS)
