"""A worker whose Redis is away while it works waits for it, and can be stopped meanwhile."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from redis import Redis as Client
from redis.exceptions import ConnectionError as RedisConnectionError

from product_importer.core import db, queue, redis
from product_importer.core.embedded import servers
from product_importer.core.redis_backoff import Patience
from product_importer.imports.progress import current
from tests.application import ROOT
from tests.breaking_proxy import BreakingProxy
from tests.imports.conftest import upload
from tests.waiting import wait_for

SECONDS = 60
COMMAND = [str(Path(sys.executable).parent / "rq"), "worker", "-c", "product_importer.worker"]
FILE = b"sku,name,description\nA-1,Shirt,Blue\n"


def address(proxy: BreakingProxy) -> str:
    """Return the URL of the tests' Redis behind the proxy."""
    known = redis.client().get_connection_kwargs()
    url = httpx.URL(proxy.url).copy_with(scheme="redis", path=f"/{known.get('db', 0)}")
    if known.get("password"):
        url = url.copy_with(username=known.get("username") or "", password=known["password"])
    return str(url)


@pytest.fixture
def proxy(database: None) -> Iterator[BreakingProxy]:
    """A proxy in front of the tests' Redis."""
    breaking = BreakingProxy(servers.redis_url())
    yield breaking
    breaking.end()


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """What the worker prints."""
    return tmp_path / "output.log"


@pytest.fixture
def worker(proxy: BreakingProxy, output: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[Any]]:
    """A worker that looks after its job every second, behind the proxy."""
    monkeypatch.setenv("REDIS_URL", address(proxy))
    with output.open("w") as printed:
        process = subprocess.Popen(
            [*COMMAND, "--job-monitoring-interval", "1"], cwd=ROOT, stdout=printed, stderr=printed
        )
    monkeypatch.undo()
    wait_for(lambda: queue.live_workers("imports"), SECONDS, f"a worker (output: {output.read_text()})")
    yield process
    # A process that has just run a job would wait for Redis for minutes.
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
    process.kill()
    process.wait()


@pytest.fixture
def client(proxy: BreakingProxy) -> Iterator[Client]:
    """A connected client behind the proxy, which would try again for two seconds."""
    given: Any = Client.from_url(address(proxy), retry=Patience(2))
    given.ping()
    yield given
    given.close()


def test_the_time_of_a_command_is_also_that_of_its_connections(
    client: Client, proxy: BreakingProxy, caplog: pytest.LogCaptureFixture
) -> None:
    """Each attempt connects again, which has attempts of its own."""
    proxy.cut()
    with pytest.raises(RedisConnectionError):
        client.ping()
    assert 1 <= caplog.text.count("Redis cannot be reached") <= 4


def test_a_command_can_be_sent_once(client: Client, proxy: BreakingProxy, caplog: pytest.LogCaptureFixture) -> None:
    proxy.cut()
    patience: Any = client.get_retry()
    with patience.once(), pytest.raises(RedisConnectionError):
        client.ping()
    assert "Redis cannot be reached" not in caplog.text


def is_over(job_id: Any) -> bool:
    return current(job_id).status == "completed"


def test_a_worker_waits_for_redis_while_a_job_runs(
    worker: subprocess.Popen[Any], proxy: BreakingProxy, output: Path
) -> None:
    with db.engine().begin() as connection:
        connection.exec_driver_sql("LOCK TABLE product")
        job_id = upload(FILE)
        wait_for(lambda: current(job_id).status == "processing", SECONDS, "the import runs")
        proxy.cut()
        # RQ alone would end at the first of these.
        wait_for(lambda: output.read_text().count("Redis cannot be reached") > 3, SECONDS, "it tries again")
    wait_for(lambda: is_over(job_id), SECONDS, "the import ends without Redis")
    proxy.mend()
    following = upload(FILE.replace(b"A-1", b"A-2"))
    wait_for(lambda: is_over(following), SECONDS, "the same worker takes the next import")
    assert worker.poll() is None


def test_a_worker_is_stopped_while_redis_is_away(
    worker: subprocess.Popen[Any], proxy: BreakingProxy, output: Path
) -> None:
    proxy.cut()
    wait_for(lambda: "Redis cannot be reached" in output.read_text(), SECONDS, "it tries again")
    worker.terminate()
    worker.wait(SECONDS)
