"""Fixtures that run the REST API on a real port, with a worker."""

import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.application import ROOT, free_port
from tests.waiting import wait_for

SECONDS = 180


@pytest.fixture(scope="module")
def processes_of_api(servers: None) -> Iterator[str]:
    """Run the REST API on a real port, with an import worker, for the tests of a module; return its URL."""
    yield from _run()


@pytest.fixture(scope="module")
def processes_of_guarded_api(servers: None) -> Iterator[str]:
    """The same, with sign-in on."""
    yield from _run(AUTH="on")


def _run(**environment: str) -> Iterator[str]:
    """Run the API, with more variables, and a worker, until the generator is closed."""
    port = free_port()
    commands = (
        ["granian", "--interface", "asginl", "--port", str(port), "tests.docs.rest_server:application"],
        ["product_importer", "worker"],
    )
    api = subprocess.Popen([sys.executable, "-m", *commands[0]], cwd=ROOT, env=os.environ | environment)
    processes = [api, subprocess.Popen([sys.executable, "-m", *commands[1]], cwd=ROOT)]
    try:
        wait_for(lambda: is_ready(port), SECONDS, "the API and its worker are ready")
        yield f"http://localhost:{port}"
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(SECONDS)


@pytest.fixture
def url(processes_of_api: str, database: None) -> str:
    """The URL of the REST API, with an empty catalogue."""
    return processes_of_api


@pytest.fixture
def guarded_url(processes_of_guarded_api: str, database: None) -> str:
    """The URL of the REST API with sign-in on, with an empty catalogue and no account."""
    return processes_of_guarded_api


def is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://localhost:{port}/api/ready").is_success
    except httpx.TransportError:
        return False
