"""Workers run only the application's jobs, whatever an attacker writes into Redis."""

import json
import os
import pickle
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis import Redis
from rq.command import send_command

from product_importer.core import db, queue, redis
from product_importer.imports import service
from product_importer.imports.progress import current
from tests.application import ROOT
from tests.imports.conftest import upload
from tests.waiting import wait_for

QUEUE = "rq:queue:imports"
RUN_IMPORT = service.RUN_IMPORT.function
SECONDS = 180
COMMANDS = {
    "rq": [str(Path(sys.executable).parent / "rq"), "worker", "-c", "product_importer.worker"],
    "product_importer": [sys.executable, "-m", "product_importer", "worker"],
}


class Worker:
    """A worker in its own process; a forged job that runs would create the file `canary`."""

    def __init__(self, command: list[str], folder: Path):
        self.canary = folder / "canary"
        # Only a forged job would import this module.
        (folder / "planted.py").write_text(f"open({str(self.canary)!r}, 'a').write(__name__)\ndef run(*_): pass\n")
        self.output = folder / "output.log"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(folder)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_for(lambda: queue.live_workers("imports"), SECONDS, f"a worker (output: {self.output.read_text()})")

    def rejected(self) -> int:
        """Return the number of rejected jobs in its log."""
        return self.output.read_text().count("rejected a job in Redis")


@pytest.fixture
def worker(request: pytest.FixtureRequest, database: None, tmp_path: Path) -> Iterator[Worker]:
    worker = Worker(COMMANDS[getattr(request, "param", "product_importer")], tmp_path)
    yield worker
    worker.process.terminate()
    assert worker.process.wait(SECONDS) == 0


def call(function: object = RUN_IMPORT, *arguments: object, instance: object = None, **named: object) -> bytes:
    """Return the `data` of a job that calls this function, as RQ stores it."""
    return json.dumps([function, instance, arguments, named]).encode()


def forge(data: bytes | None, job_id: bytes | None = None, queue_key: str = QUEUE, **fields: str | bytes) -> bytes:
    """Write a job into Redis as an attacker with access would, and return its name."""
    client = redis.client()
    job_id = job_id or f"{uuid4()}_{uuid4()}".encode()
    held: dict[str, Any] = {"origin": "imports", "status": "queued", "created_at": "2026-01-01T00:00:00.000000Z"}
    held |= fields | ({} if data is None else {"data": zlib.compress(data)})
    client.hset(f"rq:job:{job_id.decode()}", mapping=held)
    client.rpush(queue_key, job_id)
    return job_id


def completed(worker: Worker, job_id: UUID) -> None:
    """Wait until an import has completed."""
    wait_for(lambda: current(job_id).status == "completed", SECONDS, f"it ends: {worker.output.read_text()}")


class Planted:
    def __reduce__(self) -> tuple:
        return (exec, ("import planted",))


def forgeries(canary: Path) -> list[dict[str, Any]]:
    """Return jobs that try every known way to make a worker run foreign code."""
    one = str(uuid4())
    ours = call(RUN_IMPORT, one)
    functions = ["os.system", "subprocess.check_output", "builtins.exec", "planted.run", "planted.missing", "eval"]
    # Functions of the application that are not jobs.
    functions += ["product_importer.imports.tasks.log", "product_importer.imports.tasks.db.run", f"{RUN_IMPORT} "]
    names: list[object] = [*functions, None, 7, ["os.system"], {"a": 1}, ""]
    arguments: list[tuple[object, ...]] = [
        (),
        (one, one),
        (one.upper(),),
        (f"{{{one}}}",),
        (f"urn:uuid:{one}",),
        ("x",),
        (7,),
        (None,),
        ([one],),
        (f"{one}\n",),
    ]
    return [
        *({"data": call(name, f"touch {canary}")} for name in names),
        *({"data": call(RUN_IMPORT, *given)} for given in arguments),
        {"data": call("touch", instance=str(canary))},
        {"data": call("pathlib.Path.touch", str(canary), instance={"a": 1})},
        {"data": call(RUN_IMPORT, one, instance="x")},
        {"data": call(RUN_IMPORT, job_id=one)},
        *({"data": ours, f"{name}_callback_name": "planted.run"} for name in ("success", "failure", "stopped")),
        *({"data": call(RUN_IMPORT, "x"), f"{name}_callback_name": "planted.run"} for name in ("success", "failure")),
        {"data": ours, "meta": pickle.dumps(Planted())},
        {"data": ours, "result": pickle.dumps(Planted())},
        {"data": ours, "dependency_ids": json.dumps([one])},
        {"data": ours, "retries_left": "9", "retry_intervals": "[0]"},
        {"data": ours, "repeats_left": "9", "repeat_intervals": "[0]"},
        {"data": ours, "rate_limit_key": "x", "rate_limit_concurrency": "1"},
        {"data": ours, "group_id": "x"},
        {"data": ours, "origin": "webhooks"},
        {"data": ours, "origin": b"\xff"},
        {"data": ours, "status": "nonsense"},
        {"data": ours, "created_at": "nonsense"},
        {"data": ours, "unheard_of": "x"},
        {"data": pickle.dumps(Planted())},
        {"data": pickle.dumps(("planted.run", None, (), {}))},
        {"data": b"[" * 100_000},
        {"data": b"not json"},
        {"data": b"[]"},
        {"data": b"\xff\xfe"},
        {"data": b" " * 50_000_000},
    ]


@pytest.mark.parametrize("worker", COMMANDS, indirect=True)
def test_forged_jobs_do_not_run_and_the_real_one_beside_them_does(worker: Worker) -> None:
    forged = forgeries(worker.canary)
    half = len(forged) // 2
    names = [forge(**job) for job in forged[:half]]
    first = upload(b"sku,name,description\nA-1,Shirt,Blue\n")
    names += [forge(**job) for job in forged[half:]]
    second = upload(b"sku,name,description\nA-2,Hat,Plain\n")
    for job_id in (first, second):
        completed(worker, job_id)
    assert worker.rejected() == len(forged)
    assert not worker.canary.exists()
    assert worker.process.poll() is None
    output = worker.output.read_text()
    assert "its function is 'os.system'" in output and "success_callback_name" in output
    # The forged jobs did not even start.
    assert "Traceback" not in output
    assert redis.client().exists(*(b"rq:job:" + name for name in names)) == 0


def test_invalid_job_ids_and_jobs_without_content_are_skipped(worker: Worker) -> None:
    for name in (b"\xff", b"a b; touch x", b"../x", b"", b"x" * 100_000, b"a:b:c", "ä".encode()):
        redis.client().rpush(QUEUE, name)
        redis.client().rpush(f"{QUEUE}:intermediate", name)
    forge(None)
    job_id = upload(b"sku,name,description\nA-1,Shirt,Blue\n")
    completed(worker, job_id)
    assert worker.process.poll() is None


def test_cleaning_registries_that_hold_forged_jobs_runs_nothing(database: None, tmp_path: Path) -> None:
    """RQ would call the failure callback of a job whose worker has died."""
    callback = {"failure_callback_name": "planted.run", "status": "started"}
    job_id = uuid4().hex.encode()
    forge(call(RUN_IMPORT, str(uuid4())), job_id, "elsewhere", **callback)
    client = redis.client()
    client.zadd("rq:wip:imports", {job_id + b":1": 1, b"\xff": 1})
    client.sadd("rq:groups", "forged")
    client.sadd("rq:group:forged", job_id)
    worker = Worker(COMMANDS["product_importer"], tmp_path)
    done = upload(b"sku,name,description\nA-1,Shirt,Blue\n")
    completed(worker, done)
    worker.process.terminate()
    assert worker.process.wait(SECONDS) == 0
    assert not worker.canary.exists()


def test_a_forged_job_that_depends_on_a_real_one_is_rejected(worker: Worker) -> None:
    dependent, of_ours = uuid4().hex.encode(), uuid4().hex.encode()
    forge(call("planted.run"), dependent, "elsewhere", status="deferred")
    redis.client().sadd(f"rq:job:{of_ours.decode()}:dependents", dependent)
    # There is no such import, so the job does nothing and succeeds.
    forge(call(RUN_IMPORT, str(uuid4())), of_ours)
    wait_for(lambda: not redis.client().exists(f"rq:job:{of_ours.decode()}"), SECONDS, "it is done")
    completed(worker, upload(b"sku,name,description\nA-1,Shirt,Blue\n"))
    assert worker.rejected() == 1
    assert not worker.canary.exists()


def test_a_job_cannot_make_a_worker_send_web_requests(worker: Worker) -> None:
    asked: list[str] = []

    class Noted(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Noted) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/forged"
        for status in ("finished", "failed"):
            webhooks = json.dumps([{"url": url, "job_status": status}])
            forge(call(RUN_IMPORT, str(uuid4())), webhooks=webhooks)
        job_id = upload(b"sku,name,description\nA-1,Shirt,Blue\n")
        completed(worker, job_id)
        server.shutdown()
    assert asked == [] and worker.rejected() == 2


def test_a_worker_takes_no_commands_from_redis(worker: Worker) -> None:
    client: Redis = redis.client()
    # It says that it is there a moment before RQ registers it.
    keys = wait_for(lambda: client.smembers("rq:workers"), SECONDS, "RQ's list of workers")
    names = [key.decode().rpartition(":")[2] for key in keys]
    for name in names:
        for command in ("shutdown", "kill-horse", "nonsense"):
            send_command(client, name, command)
    assert client.pubsub_numsub(*(f"rq:pubsub:{name}" for name in names)) == [
        (f"rq:pubsub:{n}".encode(), 0) for n in names
    ]
    job_id = upload(b"sku,name,description\nA-1,Shirt,Blue\n")
    completed(worker, job_id)
    assert worker.process.poll() is None


def test_a_spawn_worker_is_rejected(servers: None) -> None:
    command = [*COMMANDS["rq"], "--burst", "--worker-class", "rq.worker.SpawnWorker"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ended.returncode == 1 and "SpawnWorker would run any job in Redis" in ended.stderr


def test_a_worker_knows_every_job_of_the_application(servers: None) -> None:
    from product_importer.api import api

    assert api.routes
    program = (
        "from product_importer import worker; print(*sorted(f'{j.function} {j.takes_id}' for j in worker.queue.JOBS))"
    )
    known = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert known.split() == " ".join(sorted(f"{job.function} {job.takes_id}" for job in queue.JOBS)).split()
    assert len(queue.JOBS) == 4


def test_an_undo_and_a_delivery_are_accepted_too(worker: Worker) -> None:
    job_id = upload(b"sku,name,description\nA-1,Shirt,Blue\n")
    completed(worker, job_id)
    with db.session() as session:
        service.undo_import(session, job_id)
    wait_for(lambda: current(job_id).undo.status == "undone", SECONDS, f"it is undone: {worker.output.read_text()}")
    assert worker.rejected() == 0
