"""Clients can neither forge log lines of the real processes nor get secrets into them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from simple_websocket import Client  # type: ignore[import-untyped]

from product_importer.core import queue
from tests.application import ROOT, Application
from tests.forgery import FORGED_LINE, FORGERY, HEADERS, SECRET, TAB, assert_safe
from tests.waiting import wait_for

CSV = b"sku,name,description\nA-1,Shirt,red\n"


@pytest.fixture(scope="module")
def application() -> Iterator[Application]:
    """The application with the logging that `reflex run` sets up, whose handler is Reflex's own."""
    started = Application(WORKERS="1", DATABASE_URL="", REDIS_URL="", REFLEX_MANAGED_LOGGING="true")
    started.client.headers.update(HEADERS)
    try:
        started.start()
        yield started
        assert started.stop() == 0
    finally:
        if started.process and started.process.poll() is None:
            started.process.kill()
        started.remove()


def websocket(application: Application) -> Client:
    """Return the connection of a tab, past its greeting."""
    url = application.url.replace("http://", "ws://")
    opened = Client(f"{url}/_event/?EIO=4&transport=websocket&token={TAB}", headers=HEADERS)
    opened.receive(10)
    opened.send("40/_event,{}")
    assert "sid" in opened.receive(10)
    return opened


def say(tab: Client, *words: object) -> None:
    tab.send(f"42/_event,{json.dumps(words)}")


@pytest.mark.e2e
@pytest.mark.embedded
def test_what_a_page_sends_forges_no_line_and_its_headers_are_not_told(application):
    tab = websocket(application)
    router = {"pathname": "/"}
    payload = {"text": FORGERY, "password": SECRET, "note": SECRET}
    say(tab, "event", {"name": f"nothing {FORGERY}", "router_data": router, "payload": payload})
    # A handler that breaks lines at the width of a terminal would begin one with this.
    say(tab, "event", {"name": f"wide {'x' * 79} {FORGED_LINE}", "router_data": router})
    for event in (f"{FORGERY} {SECRET}", [FORGERY, SECRET], {"nothing": FORGERY, "payload": payload}):
        say(tab, "event", event)
    say(tab, "client_error", {"error_type": "x", "message": FORGERY})
    say(tab, f"unknown {FORGERY}", FORGERY)
    tab.send("42/_event,{broken" + FORGERY)
    signs = (
        "No registered handler",
        "as a string",
        "must be a dictionary",
        "missing 1 required",
        "Frontend Exception",
    )
    wait_for(lambda: all(sign in application.output.read_text() for sign in signs), 30, "Reflex logs the errors")
    tab.close()
    assert "FORGED" in application.output.read_text()
    assert_safe(application.output.read_text())


@pytest.mark.e2e
@pytest.mark.embedded
def test_what_requests_hold_forges_no_line_and_is_not_told(application):
    quoted = str(httpx.QueryParams({"x": FORGERY}))[2:]
    for path in (f"/{quoted}", f"/api/{quoted}?token={SECRET}", f"/_event/?EIO=4&transport=websocket&sid={quoted}"):
        application.client.get(path)
    application.client.get("/_event/?EIO=4&transport=polling", headers={"Origin": f"http://{SECRET}.example/a"})
    job = application.upload(CSV, f"{FORGED_LINE}.csv")
    body = f'--b\r\nContent-Disposition: form-data; name="file"; filename="a%0a{FORGERY}.csv"\r\n\r\n'
    content = body.encode() + CSV + b"\r\n--b--\r\n"
    application.client.post(
        "/api/upload-csv", content=content, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert application.finished(job)["status"] == "completed"
    wait_for(lambda: "Invalid session" in application.output.read_text(), 30, "Engine.IO logs the error")
    text = application.output.read_text().replace(f"{SECRET}.example", "")
    assert_safe(text)
    assert text.count("Invalid session") == 1, "Engine.IO writes by a handler of its own, too"


@pytest.mark.e2e
@pytest.mark.embedded
def test_the_embedded_server_writes_no_values_into_its_log(application):
    made = {"sku": SECRET, "name": f"Name {SECRET}", "description": ""}
    assert application.client.post("/api/products", json=made).status_code == 201
    assert application.client.post("/api/products", json=made).status_code == 409
    log = application.data / "logs" / "postgres.log"
    wait_for(lambda: "duplicate key" in log.read_text(), 30, "PostgreSQL logs the error")
    assert SECRET not in log.read_text()


@pytest.mark.e2e
@pytest.mark.embedded
def test_what_the_command_line_says_of_a_file_has_no_control_characters(application, tmp_path):
    for content, word in ((CSV, "completed"), (b"nothing\n", "product-importer: ")):
        file = tmp_path / f"{FORGERY.replace('/', '')}.csv"
        file.write_bytes(content)
        ended = run(application, "import", str(file))
        assert word in ended
        assert_safe(ended)
    assert_safe(run(application, "import", f"http://127.0.0.1:1/\x1b[31m?token={SECRET}"))


def run(application: Application, *words: str) -> str:
    """Run one command to its end, and return what it printed."""
    command = [sys.executable, "-m", "product_importer", *words]
    done = subprocess.run(
        command, cwd=ROOT, env=application.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.stdout.decode()


def test_a_job_that_cannot_be_run_forges_no_line_of_the_worker(database):
    job = queue._queue("imports").enqueue(f"nowhere.{FORGERY}", f"Cookie: {SECRET}", description=f"job {FORGERY}")
    command = [str(Path(sys.executable).parent / "rq"), "worker", "--burst", "-c", "product_importer.worker"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, timeout=120
    )
    written = done.stdout.decode()
    # A random UUID is cut, as the token of a tab is.
    assert job.id[:8] in written
    assert_safe(written)
