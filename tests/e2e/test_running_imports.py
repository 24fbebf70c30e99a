"""What pages show of a running import, in a real browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import text

from tests.application import Application, catalogue
from tests.e2e.test_imports_page import csv_of, start, status, upload
from tests.e2e.test_products_page import database, workers_stopped

pytestmark = pytest.mark.e2e

ROWS = 60_000
# Notes each text of the region that screen readers read out, from the first moment of a page on.
LISTEN = """
window.said = [];
new MutationObserver(() => {
    const said = document.querySelector("[data-testid=announcement]")?.textContent;
    if (said && window.said.at(-1) !== said) window.said.push(said);
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
# Notes each notification instead of leaving it to the desktop, which tests do not have. Chromium's shell grants none.
NOTE_NOTIFICATIONS = """
window.notified = [];
window.Notification = class extends window.Notification {
    static permission = "granted";
    constructor(title, options) { super(title, options); window.notified.push([title, options.body]); }
};
"""


# Whether the tab's title has the percent that the page shows, before the page's own title.
SAYS_THE_SAME = """title => {
    const shown = document.querySelector("[data-testid=navigation-percent]")?.innerText.match(/\\d+ %/);
    return Boolean(shown) && document.title === `${shown[0]} ${title}`;
}"""


@contextmanager
def held(application: Application, first: int) -> Iterator[str]:
    """Start an import by REST that stops midway for as long as the block lasts; its file is `held-{first}.csv`."""
    locked = [f"SKU-{number:07}" for number in range(first + 3_000, first + ROWS, 3_000)]
    upload(application, csv_of(*[f"{sku},Old,x" for sku in locked]))
    with database(application) as connection:
        connection.execute(text("SELECT FROM product WHERE sku = ANY(:locked) FOR UPDATE"), {"locked": locked})
        yield application.upload(catalogue(ROWS, first=first), f"held-{first}.csv")


def percent(page: Page):
    return page.get_by_test_id("navigation-percent")


def expect_line(page: Page) -> None:
    curve = page.get_by_test_id("import-speed").locator("path.recharts-line-curve").last
    expect(curve).to_have_attribute("d", re.compile("^M.+[LC]"))


@pytest.mark.parametrize(("path", "first"), [("/products", 7_000_000), ("/webhooks", 7_100_000)])
def test_every_page_shows_the_percent_of_an_import_by_rest(
    page: Page, application: Application, path: str, first: int
):
    page.goto(path)
    # Without the percent of an import that has not ended yet.
    expect(page).to_have_title(re.compile(r"^[A-Z]\w+ · Product Importer$"))
    title = page.title()
    with held(application, first):
        expect(percent(page)).to_have_text(re.compile(rf"^\s*[1-9]\d? % of held-{first}\.csv$"))
        # It moves until the import stands still.
        page.wait_for_function(SAYS_THE_SAME, arg=title)
        expect(page.get_by_role("link", name=re.compile("^Imports .* of held"))).to_have_attribute("href", "/imports")
        assert percent(page).evaluate("node => node.closest('[aria-live], [role=status], [role=alert]')") is None
        page.get_by_role("link", name="Imports").click()
        expect(page).to_have_url(re.compile("/imports$"))
        expect(percent(page)).to_be_visible()
        page.reload()
        expect(percent(page)).to_be_visible()
    expect(percent(page)).to_have_count(0)
    expect(page).to_have_title("Imports · Product Importer")


def test_the_bar_has_a_part_for_reading_and_one_for_writing(page: Page, application: Application):
    with held(application, 7_200_000) as job_id:
        page.goto(f"/imports/{job_id}")
        bar = page.get_by_test_id("import-progress")
        expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^\d+ %, Writing$"))
        assert 25 <= int(bar.get_attribute("aria-valuenow") or 0) < 100
        parts = page.get_by_test_id("import-parts").locator("span")
        expect(parts).to_have_text(["Reading", "Writing"])
        expect(parts.nth(0)).to_have_attribute("aria-current", "false")
        expect(parts.nth(1)).to_have_attribute("aria-current", "step")
        fills = bar.locator("> div > div")
        expect(fills.nth(0)).to_have_attribute("style", "width: 100%;")
        expect(fills.nth(1)).to_have_attribute("style", re.compile(r"^width: \d\d?(\.\d)?%;$"))
    expect(bar).to_have_attribute("aria-valuenow", "100")
    expect(page.get_by_test_id("import-parts")).to_have_count(0)


def test_a_dry_run_compares_in_the_second_part(page: Page, application: Application):
    with workers_stopped(application):
        start(page, csv_of("Compared-1,Mug,x"), "compared.csv", button="import-try")
        expect(page.get_by_test_id("import-parts").locator("span")).to_have_text(["Reading", "Comparing"])
    expect(status(page)).to_have_text("previewed")


def test_the_speed_is_drawn_and_told_and_stays_at_the_end(page: Page, application: Application):
    scripts: list[str] = []
    page.on("response", lambda answer: scripts.append(answer.text()) if answer.url.endswith(".js") else None)
    drawn = page.get_by_test_id("import-speed")
    with workers_stopped(application):
        job_id = application.upload(catalogue(300_000, first=7_300_000), "drawn.csv")
        page.goto(f"/imports/{job_id}")
        expect(drawn).to_have_attribute("aria-label", "Rows per second: not measured yet")
        height = drawn.bounding_box()["height"]  # type: ignore[index]
        assert not any("recharts-line" in script for script in scripts), "the chart is loaded before it is shown"
    expect(drawn).to_have_attribute(
        "aria-label", re.compile(r"^Rows per second, writing: now [\d,]+, highest [\d,]+$"), timeout=180_000
    )
    expect_line(page)
    assert drawn.bounding_box()["height"] == height  # type: ignore[index]
    expect(status(page)).to_have_text("completed", timeout=180_000)
    expect(drawn).to_have_attribute("aria-label", re.compile(r"^Rows per second, writing: highest [1-9][\d,]+$"))
    expect_line(page)
    other = upload(application, csv_of("Drawn-1,Mug,x"), "other.csv")
    page.goto(f"/imports/{other}")
    expect(status(page)).to_have_text("completed")
    expect(drawn).to_have_count(0)


def test_four_steps_are_announced_once_each(page: Page, application: Application):
    page.add_init_script(LISTEN)
    with workers_stopped(application):
        job_id = application.upload(catalogue(300_000, first=7_700_000), "told.csv")
        page.goto(f"/imports/{job_id}")
        expect(percent(page)).to_be_visible()
    region = page.get_by_test_id("announcement")
    expect(region).to_have_attribute("aria-live", "polite")
    expect(region).to_have_text("told.csv: 100 %. 300,000 products imported", timeout=180_000)
    steps = [f"told.csv: {step} %" for step in (25, 50, 75)]
    assert page.evaluate("window.said") == [*steps, "told.csv: 100 %. 300,000 products imported"]
    page.goto("/webhooks")
    expect(region).to_be_empty()


def test_a_notification_tells_the_end_on_another_page_too(page: Page, application: Application):
    page.add_init_script(NOTE_NOTIFICATIONS)
    notify = page.get_by_test_id("import-notify")
    with workers_stopped(application):
        start(page, csv_of("Notified-1,Mug,x", ",Without SKU,x"), "notified.csv")
        expect(notify).to_have_text("Notify me")
        notify.click()
        expect(notify).to_have_text("You will be notified")
        page.reload()
        expect(notify).to_have_text("You will be notified")
        page.get_by_role("link", name="Webhooks").click()
        expect(page.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()
    page.wait_for_function("window.notified.length > 0")
    assert page.evaluate("window.notified") == [["notified.csv", "1 product imported, 1 row needs you"]]


def test_notifications_are_switched_off_again(page: Page, application: Application):
    page.add_init_script(NOTE_NOTIFICATIONS)
    notify = page.get_by_test_id("import-notify")
    with workers_stopped(application):
        start(page, csv_of("Quiet-1,Mug,x"), "quiet.csv")
        notify.click()
        expect(notify).to_have_text("You will be notified")
        notify.click()
        expect(notify).to_have_text("Notify me")
    expect(page.get_by_test_id("announcement")).to_have_text(re.compile("quiet.csv: 100 %"))
    expect(percent(page)).to_have_count(0)
    assert page.evaluate("window.notified") == []


def test_where_the_browser_denies_notifications_it_says_how_to_allow_them(page: Page, application: Application):
    # Without a grant, a browser without windows denies what it is asked.
    with workers_stopped(application):
        start(page, csv_of("Denied-1,Mug,x"), "denied.csv")
        notify, help_ = page.get_by_test_id("import-notify"), page.get_by_test_id("notify-help")
        notify.click()
        expect(notify).to_have_text("Notifications are blocked")
        expect(help_).to_contain_text("Allow them in the site's settings")
        expect(help_).to_have_attribute("role", "status")
        expect(notify).to_be_focused()
    expect(status(page)).to_have_text("completed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_a_running_import(
    page: Page, application: Application, scheme: Literal["light", "dark"], width: int
):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    first = 8_000_000 + width * 100 + (70_000 if scheme == "dark" else 0)
    with held(application, first) as job_id:
        page.goto(f"/imports/{job_id}")
        expect_line(page)
        expect(page.get_by_test_id("import-notify")).to_be_visible()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") == width
