"""Fixtures that run the REST API on a real port, with a worker."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.application import ROOT, free_port
from tests.waiting import wait_for

SECONDS = 60


@pytest.fixture(scope="module")
def processes_of_api(servers: None) -> Iterator[str]:
    """Run the REST API on a real port, with an import worker, for the tests of a module; return its URL."""
    port = free_port()
    commands = (
        ["granian", "--interface", "asginl", "--port", str(port), "tests.docs.rest_server:application"],
        ["product_importer", "worker"],
    )
    processes = [subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT) for command in commands]
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


def is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://localhost:{port}/api/ready").is_success
    except httpx.TransportError:
        return False
