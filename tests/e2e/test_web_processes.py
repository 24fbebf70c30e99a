"""Several web processes behind one port: pages, uploads, lists of others and the death of any of them."""

import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from product_importer.ui import routes
from tests.application import Application, catalogue
from tests.e2e.test_imports_page import choose
from tests.e2e.test_products_page import workers_stopped
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
PROCESSES = 3
SECONDS = 60_000
START_SECONDS = 240
STREAMS = 1_200


@pytest.fixture(scope="module")
def several(own_servers: dict[str, str]) -> Iterator[Application]:
    """The application with several web processes."""
    started = Application(WORKERS="1", WEB_PROCESSES=str(PROCESSES), WEBHOOK_ALLOW_CIDRS="127.0.0.0/8", **own_servers)
    started.start()
    yield started
    assert started.stop() == 0
    output = started.output.read_text()
    started.remove()
    assert "Traceback" not in output, output


@pytest.fixture
def visit(browser: Browser, several: Application) -> Iterator[list[Page]]:
    """Three browsers, so that the kernel gives their connections to several processes."""
    contexts = [browser.new_context(base_url=several.url, viewport={"width": 1280, "height": 900}) for _ in range(3)]
    yield [context.new_page() for context in contexts]
    for context in contexts:
        context.close()


def web_processes(application: Application) -> list[psutil.Process]:
    """Return the processes that accept connections."""
    assert application.process is not None
    everything = psutil.Process(application.process.pid).children(recursive=True)
    web = [each for each in everything if command(each)[-1:] == ["web"] and "product_importer" in command(each)]
    return [each for each in web[0].children() if any("spawn_main" in word for word in command(each))]


def command(process: psutil.Process) -> list[str]:
    """Return the words of a process; none if it has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def open_products(page: Page) -> None:
    page.goto(routes.PRODUCTS)
    expect(page.get_by_test_id("loading")).to_have_count(0, timeout=SECONDS)
    expect(page.get_by_test_id("product-new").first).to_be_enabled(timeout=SECONDS)


def test_each_process_answers_and_any_tells_the_memory_of_the_largest(several: Application):
    assert len(web_processes(several)) == PROCESSES
    asked: Counter[int] = Counter()
    before = {each.pid: each.cpu_times().user for each in web_processes(several)}
    for _ in range(200):
        # A connection of its own for each request.
        assert httpx.get(f"{several.url}/api/products").status_code == 200
        asked.update(each.pid for each in web_processes(several) if each.cpu_times().user > before[each.pid])
        if len(asked) == PROCESSES:
            break
    assert set(asked) == set(before)
    memory = max(each.memory_info().rss for each in web_processes(several))
    found = several.client.get("/metrics").text
    (told,) = [line for line in found.splitlines() if line.startswith("process_resident_memory_bytes ")]
    assert float(told.split()[1]) == pytest.approx(memory, rel=0.3)


def test_what_one_page_does_others_see_wherever_they_are_connected(several: Application, visit: list[Page]):
    for page in visit:
        open_products(page)
    for page in visit:
        sku = f"SEEN-{visit.index(page)}"
        page.get_by_test_id("product-new").first.click()
        page.get_by_test_id("product-sku").fill(sku)
        page.get_by_test_id("product-name").fill("Seen")
        page.get_by_test_id("product-save").click()
        expect(page.get_by_text(f"{sku} was saved.").or_(page.get_by_text(f"{sku} was created."))).to_be_visible(
            timeout=SECONDS
        )
        for other in visit:
            if other is not page:
                expect(
                    other.get_by_test_id("news-show").or_(other.get_by_role("grid").get_by_text(sku)).first
                ).to_be_visible(timeout=SECONDS)


def test_a_file_is_uploaded_and_its_import_followed(several: Application, visit: list[Page]):
    for number, page in enumerate(visit):
        choose(page, catalogue(300, first=1000 * number), f"several-{number}.csv")
        page.get_by_test_id("import-start").click(timeout=SECONDS)
        wait_for(lambda number=number: _is_done(several, f"several-{number}.csv"), 90, "the import ends")  # type: ignore[misc]
        expect(page.get_by_text("300", exact=False).first).to_be_visible(timeout=SECONDS)


def _is_done(application: Application, name: str) -> bool:
    jobs = application.client.get("/api/jobs").json()["items"]
    return any(job["filename"] == name and job["status"] == "completed" for job in jobs)


def test_a_form_and_what_is_asked_survive_the_death_of_every_web_process(several: Application, visit: list[Page]):
    page = visit[0]
    page.goto(routes.WEBHOOKS)
    expect(page.get_by_test_id("loading")).to_have_count(0, timeout=SECONDS)
    page.get_by_test_id("webhook-new").first.click(timeout=SECONDS)
    address = "http://127.0.0.1:8099/several"
    page.get_by_test_id("webhook-url").fill(address)
    killed = web_processes(several)
    for each in killed:
        os.kill(each.pid, signal.SIGKILL)
    # Held in the browser until another process has the connection.
    page.get_by_test_id("webhook-save").click()
    wait_for(partial(_has_webhook, several, address), START_SECONDS, "the webhook is saved")
    expect(page.get_by_test_id("connection-undone")).to_have_count(0)
    wait_for(lambda: len(web_processes(several)) == PROCESSES, START_SECONDS, "all are started again")
    assert not {each.pid for each in killed} & {each.pid for each in web_processes(several)}


def _has_webhook(application: Application, address: str) -> bool:
    try:
        hooks = application.client.get("/api/webhooks").json()["items"]
    except httpx.TransportError:
        return False
    return [hook["url"] for hook in hooks].count(address) == 1


def test_event_streams_of_any_number_keep_nobody_waiting(several: Application):
    """More than all processes together could have open by the server's own limit, and each its share of that."""
    with workers_stopped(several), ExitStack() as opened:
        job_id = several.upload(catalogue(10, first=9_900_000))
        request = f"GET /api/jobs/{job_id}/events HTTP/1.1\r\nHost: {urlsplit(several.url).netloc}\r\n\r\n"
        for _ in range(STREAMS):
            stream = opened.enter_context(socket.create_connection(("127.0.0.1", urlsplit(several.url).port), 60))
            stream.sendall(request.encode())
            assert stream.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        for _ in range(20):
            assert httpx.get(f"{several.url}/api/products", timeout=20).status_code == 200
    several.finished(job_id)
