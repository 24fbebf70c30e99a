"""Clients can neither forge log lines nor get secrets into logs; tested with real processes."""

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
    """Start the application with Reflex's own log handler, as `reflex run` does."""
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
    """Connect to the websocket as a tab does, and return the connection."""
    url = application.url.replace("http://", "ws://")
    opened = Client(f"{url}/_event/?EIO=4&transport=websocket&token={TAB}", headers=HEADERS)
    opened.receive(60)
    opened.send("40/_event,{}")
    assert "sid" in opened.receive(60)
    return opened


def emit(tab: Client, *words: object) -> None:
    tab.send(f"42/_event,{json.dumps(words)}")


@pytest.mark.e2e
@pytest.mark.embedded
def test_websocket_messages_forge_no_line_and_leak_no_secret(application):
    tab = websocket(application)
    router = {"pathname": "/"}
    payload = {"text": FORGERY, "password": SECRET, "note": SECRET}
    emit(tab, "event", {"name": f"nothing {FORGERY}", "router_data": router, "payload": payload})
    # A handler that wraps lines at the width of a terminal would begin a line with the forged text.
    emit(tab, "event", {"name": f"wide {'x' * 79} {FORGED_LINE}", "router_data": router})
    for event in (f"{FORGERY} {SECRET}", [FORGERY, SECRET], {"nothing": FORGERY, "payload": payload}):
        emit(tab, "event", event)
    emit(tab, "client_error", {"error_type": "x", "message": FORGERY})
    emit(tab, f"unknown {FORGERY}", FORGERY)
    tab.send("42/_event,{broken" + FORGERY)
    signs = (
        "No registered handler",
        "as a string",
        "must be a dictionary",
        "missing 1 required",
        "error in a page",
    )
    wait_for(lambda: all(sign in application.output.read_text() for sign in signs), 30, "Reflex logs the errors")
    tab.close()
    assert "FORGED" in application.output.read_text()
    assert_safe(application.output.read_text())


@pytest.mark.e2e
@pytest.mark.embedded
def test_requests_forge_no_line_and_leak_no_secret(application):
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
    assert text.count("Invalid session") == 1, "Engine.IO's own handler has logged the error again"


@pytest.mark.e2e
@pytest.mark.embedded
def test_the_embedded_postgresql_logs_no_values(application):
    made = {"sku": SECRET, "name": f"Name {SECRET}", "description": ""}
    assert application.client.post("/api/products", json=made).status_code == 201
    assert application.client.post("/api/products", json=made).status_code == 409
    log = application.data / "logs" / "postgres.log"
    wait_for(lambda: "duplicate key" in log.read_text(), 30, "PostgreSQL logs the error")
    assert SECRET not in log.read_text()


@pytest.mark.e2e
@pytest.mark.embedded
def test_command_output_about_a_file_has_no_control_characters(application, tmp_path):
    for content, word in ((CSV, "completed"), (b"nothing\n", "product-importer: ")):
        file = tmp_path / f"{FORGERY.replace('/', '')}.csv"
        file.write_bytes(content)
        ended = run(application, "import", str(file))
        assert word in ended
        assert_safe(ended)
    assert_safe(run(application, "import", f"http://127.0.0.1:1/\x1b[31m?token={SECRET}"))


def run(application: Application, *words: str) -> str:
    """Run a command to its end, and return its output."""
    command = [sys.executable, "-m", "product_importer", *words]
    done = subprocess.run(
        command, cwd=ROOT, env=application.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.stdout.decode()


def test_an_unknown_job_forges_no_line_in_the_workers_log(database):
    job = queue._queue("imports").enqueue(f"nowhere.{FORGERY}", f"Cookie: {SECRET}", description=f"job {FORGERY}")
    command = [str(Path(sys.executable).parent / "rq"), "worker", "--burst", "-c", "product_importer.worker"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, timeout=120
    )
    written = done.stdout.decode()
    # A random UUID is redacted, except for its beginning, as the token of a tab is.
    assert job.id[:8] in written
    assert_safe(written)
