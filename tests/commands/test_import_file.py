"""The command `import`, mostly as a process of its own, on the tests' servers."""

import io
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import select

from product_importer.commands import import_here, import_report
from product_importer.commands.cli import main
from product_importer.commands.import_report import ProgressLine
from product_importer.commands.interrupts import Interrupts
from product_importer.core import db
from product_importer.core.settings import settings
from product_importer.core.storage import storage
from product_importer.imports import progress, tasks
from product_importer.imports.admission import MAX_UNFINISHED
from product_importer.imports.models import ImportJob
from product_importer.imports.pipeline import lease, runner
from product_importer.imports.schemas import ImportRead
from tests.application import ROOT
from tests.imports.conftest import execute, products, upload
from tests.imports.test_admission import fill
from tests.waiting import wait_for

__all__ = ["products"]

COMMAND = [sys.executable, "-m", "product_importer", "import"]
# Of these rows the first third can be imported while `held_midway` holds its products: one in each later range.
MANY = 150_000
HELD = range(20_000, 100_000, 500)
HOLD = """
WITH held AS (SELECT n FROM generate_series(%s, %s, %s) AS n)
INSERT INTO product (id, sku, sku_key, name) SELECT gen_random_uuid(), 'SKU-' || n, 'sku-' || n, 'Held' FROM held
"""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
WRITERS = settings().import_writers

pytestmark = pytest.mark.usefixtures("database")


def catalogue(rows: int) -> bytes:
    lines = (f"SKU-{n},Product {n},Description {n}\n" for n in range(rows))
    return ("sku,name,description\n" + "".join(lines)).encode()


def run(*words: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=ROOT,
        env=os.environ | environment,
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def error_of(*words: str) -> str:
    """Run the command in this process, which is quicker, and return its error of one line."""
    level = logging.getLogger().level
    with pytest.raises(SystemExit) as ended:
        main(["import", *words])
    logging.getLogger().setLevel(level)
    line = str(ended.value.code)
    assert line.startswith("product-importer: ") and "\n" not in line
    return line


def only_import() -> ImportRead | None:
    """Return the current state of the only import, or None."""
    with db.session() as session:
        found = session.scalars(select(ImportJob)).one_or_none()
    return progress.live(found) if found else None


@contextmanager
def held_midway() -> Iterator[Callable[[], None]]:
    """Let no import of `catalogue(MANY)` end, until the block ends or what this yields is called."""
    execute(HOLD, HELD.start, HELD.stop - 1, HELD.step)
    with ExitStack() as held:
        connection = held.enter_context(db.engine().begin())
        connection.exec_driver_sql("SELECT FROM product FOR UPDATE")
        yield held.close


def is_held() -> bool:
    """Whether all writers of the only import wait for products."""
    job = only_import()
    if job is None:
        return False
    with db.engine().connect() as connection:
        return connection.exec_driver_sql(WAITING, (lease.owner_name(job.id),)).scalar_one() >= WRITERS


@contextmanager
def importing(
    path: Path, environment: Mapping[str, str] = os.environ
) -> Iterator[tuple[subprocess.Popen[str], Callable[[], None]]]:
    """Run the command until the middle of its merge; yield it, and what lets it go on. Kill it after the block."""
    path.write_bytes(catalogue(MANY))
    with held_midway() as let_go:
        process = subprocess.Popen([*COMMAND, str(path)], cwd=ROOT, env=environment, stdout=-1, stderr=-1, text=True)
        try:
            wait_for(is_held, 120, "all writers of the import wait")
            yield process, let_go
        finally:
            process.kill()
            process.wait()


def wait_until_stopping(process: subprocess.Popen[str]) -> None:
    """Wait until the command has said that it has requested the cancellation."""
    assert process.stderr
    said = process.stderr
    wait_for(lambda: "Stopping after the current batch" in said.readline(), 60, "it says that it is stopping")


def end_lease(job_id: UUID) -> None:
    """End the lease, so that another worker may claim the import."""
    with db.session() as session:
        session.get_one(ImportJob, job_id).lease_until = datetime.now(UTC) - timedelta(seconds=1)


def finish_elsewhere(job_id: UUID) -> ImportRead:
    """Run the import as another worker does after the reconciler has queued it; return it."""
    end_lease(job_id)
    tasks.run_import(str(job_id))
    return progress.current(job_id)


def test_a_file_is_imported_and_its_rejects_are_written(tmp_path, products):
    file, rejects = tmp_path / "shop.csv", tmp_path / "rejects.csv"
    file.write_text("sku,name,description\na,A,x\n,B,y\nA,C,z\n")
    done = run(str(file), "--rejects", str(rejects))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("shop.csv: completed in ") and "rows per second" in done.stdout
    counts = {name: count for count, name in map(str.split, done.stdout.splitlines()[1:6])}
    assert counts == {"created": "1", "updated": "0", "unchanged": "0", "duplicates": "1", "rejected": "1"}
    assert rejects.read_text().splitlines() == [
        "sku,name,description,_line,_code,_reason",
        ",B,y,3,no_sku,The SKU is empty.",
    ]
    assert products() == {"A": ("C", "z")}
    assert only_import().filename == "shop.csv"


def test_standard_input_is_imported_and_only_rejects_go_to_standard_output(products):
    done = run("-", "--rejects", "-", stdin=b"sku,name,description\na,A,x\n,B,y\n")
    assert (done.returncode, only_import().filename) == (0, "stdin")
    assert done.stdout.splitlines()[1:] == [",B,y,3,no_sku,The SKU is empty."]
    assert "1 rejected" in done.stderr and products().keys() == {"a"}


def test_the_summary_says_how_to_get_the_rejected_rows():
    done = run("-", stdin=b"sku,name,description\n,B,y\n")
    assert "--rejects FILE" in done.stdout and f"/api/jobs/{only_import().id}/rejects" in done.stdout


def test_a_url_is_imported_and_its_token_is_not_printed(tmp_path, products):
    (tmp_path / "shop.csv").write_text("sku,name,description\na,A,x\n")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        imported = run(f"{base}/shop.csv?token=secret", WEBHOOK_ALLOW_CIDRS="127.0.0.0/8")
        rejected = run(f"{base}/shop.csv?token=secret", WEBHOOK_ALLOW_CIDRS="none")
        missing = run(f"{base}/gone.csv?token=secret", WEBHOOK_ALLOW_CIDRS="127.0.0.0/8")
        server.shutdown()
    assert (imported.returncode, products().keys(), only_import().filename) == (0, {"a"}, "shop.csv"), imported.stderr
    assert rejected.returncode == 1 and "address not allowed: 127.0.0.1 is loopback" in rejected.stderr
    assert missing.returncode == 1 and "answered 404" in missing.stderr
    assert "secret" not in "".join(done.stdout + done.stderr for done in (imported, rejected, missing))
    assert len(list(storage().keys())) == 1


def test_a_download_over_the_limit_of_uploads_is_rejected(tmp_path):
    (tmp_path / "large.csv").write_bytes(catalogue(100_000))
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/large.csv"
        done = run(url, WEBHOOK_ALLOW_CIDRS="127.0.0.0/8", MAX_UPLOAD_MB="1")
        server.shutdown()
    assert done.returncode == 1 and "larger than 1 MB" in done.stderr
    assert only_import() is None and list(storage().keys()) == []


def test_the_options_are_those_of_an_upload():
    words = ["--dry-run", "--mode", "create", "--duplicates", "first", "--blank", "keep"]
    words += ["--continuation", "skip", "--scientific", "keep"]
    done = run("-", *words, stdin=b"sku,name,description\na,A,x\n")
    job = only_import()
    assert job.choices.model_dump() == {
        "mode": "create", "duplicates": "first", "blank": "keep", "dry_run": True, "continuation": "skip",
        "scientific": "keep",
    }  # fmt: skip
    assert (done.returncode == 0) == (job.status == "previewed")


def test_an_encoding_in_any_case_and_a_tab_as_backslash_t_are_accepted():
    done = run(
        "-", "--encoding", "Windows-1252", "--delimiter", r"\t", stdin=b"sku\tname\tdescription\na\t\xdc\t1;2\n"
    )
    job = only_import()
    assert (done.returncode, job.format.encoding, job.format.delimiter) == (0, "windows-1252", "\t")


def test_too_many_unfinished_imports_are_reported_before_the_file_is_read(tmp_path):
    fill(MAX_UNFINISHED)
    (tmp_path / "a.csv").write_bytes(catalogue(1))
    assert "100 imports are unfinished" in error_of(str(tmp_path / "a.csv"))
    assert list(storage().keys()) == []


@pytest.mark.parametrize(
    ("words", "content", "expected"),
    [
        (["--mode", "replace"], b"", "--mode: "),
        (["--mode", ""], b"", "--mode: "),
        (["--columns", "{"], b"", "--columns: "),
        (["--columns", '{"a": "price"}'], b"", "--columns: "),
        (["--delimiter", "x"], b"", "--delimiter: "),
        (["--encoding", "klingon"], b"", "--encoding: "),
        (["--rejects", "/nowhere/rejects.csv"], b"", "/nowhere/rejects.csv cannot be written"),
        ([], b"", "no first line"),
        ([], b"Product SKU,name,description\n", """--columns '{"Product SKU": "sku"}'"""),
        ([], b"sku,name,description\n\x81", "Byte 21 (line 2)"),
    ],
)
def test_an_error_is_reported_in_one_line_and_leaves_nothing(monkeypatch, words, content, expected):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert expected in error_of("-", *words)
    assert only_import() is None and list(storage().keys()) == []


@pytest.mark.parametrize("path", ["nowhere.csv", "."])
def test_a_file_that_cannot_be_read_is_reported(path):
    assert f"{path} cannot be read" in error_of(path)


def test_a_failed_import_prints_the_reason_and_where_to_read_more():
    done = run("-", stdin=b"sku,name,description\na,A,x\nb,B," + b"x" * (17 * 2**20))
    job = only_import()
    assert (done.returncode, job.status) == (1, "failed")
    assert f"stdin: {job.error.message} (line_too_long)" in done.stderr and "docs/file-format.md" in done.stderr
    assert "stdin: failed" in done.stdout
    located = job.model_copy(update={"error": job.error.model_copy(update={"line": 1_234})})
    assert import_report.reason(located, is_stopped=False).startswith("stdin, line 1,234: ")


def test_a_file_is_imported_without_redis(products):
    done = run("-", stdin=b"sku,name,description\na,A,x\n", REDIS_URL="redis://127.0.0.1:1")
    assert done.returncode == 0 and products().keys() == {"a"}, done.stderr


def test_ctrl_c_stops_after_a_batch_and_prints_the_counts(tmp_path, products):
    with importing(tmp_path / "many.csv") as (process, let_go):
        process.send_signal(signal.SIGINT)
        wait_until_stopping(process)
        let_go()
        out, err = process.communicate(timeout=60)
    job = only_import()
    assert (process.returncode, job.status) == (130, "cancelled"), err
    assert 0 < job.created == len(products()) - len(HELD) < MANY - len(HELD)
    assert f"{job.created:,} created" in out
    assert "stopped by you" in err


def test_a_second_ctrl_c_exits_at_once_and_another_worker_ends_the_import(tmp_path):
    with importing(tmp_path / "many.csv") as (process, _):
        process.send_signal(signal.SIGINT)
        wait_until_stopping(process)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "Stopped at once." in err
    assert only_import().status == "processing"
    assert finish_elsewhere(only_import().id).status == "cancelled"


def test_a_worker_continues_the_import_of_a_killed_command(tmp_path, products):
    with importing(tmp_path / "many.csv") as (process, _):
        process.kill()
        process.wait()
    job = only_import()
    assert job.status == "processing" and job.processed_rows < MANY
    ended = finish_elsewhere(job.id)
    assert (ended.status, ended.created + ended.updated, ended.updated) == ("completed", MANY, len(HELD))
    assert len(products()) == MANY


def test_ctrl_c_while_a_file_arrives_leaves_nothing():
    process = subprocess.Popen([*COMMAND, "-"], cwd=ROOT, stdin=-1, stdout=-1, stderr=-1)
    assert process.stdin
    process.stdin.write(catalogue(50_000))
    process.stdin.flush()
    wait_for(lambda: list(storage().keys()), 30, "the file is arriving")
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130 and "Nothing was imported" in err
    assert only_import() is None and list(storage().keys()) == []


class Watched(io.StringIO):
    """Says when something has been written."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = threading.Event()

    def write(self, text: str) -> int:
        self.shown.set()
        return super().write(text)


def test_an_import_that_a_worker_has_claimed_is_only_followed():
    job_id = upload(catalogue(5_000))
    held = lease.claim(job_id)
    assert held
    output = Watched()

    def work() -> None:
        output.shown.wait(60)
        runner.run(held)

    worker = threading.Thread(target=work)
    worker.start()
    job = import_here.follow(job_id, ProgressLine(output, say_seconds=0), Interrupts())
    worker.join()
    assert (job.status, job.created) == ("completed", 5_000)
    with db.session() as session:
        assert session.get_one(ImportJob, job_id).fence == held.fence
    assert "0.0 %" in output.getvalue() and "100.0 %" in output.getvalue()


def test_an_import_whose_lease_has_expired_is_taken_over():
    job_id = upload(catalogue(5_000))
    assert lease.claim(job_id)
    end_lease(job_id)
    job = import_here.follow(job_id, ProgressLine(io.StringIO()), Interrupts())
    assert (job.status, job.created) == ("completed", 5_000)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_is_redrawn_and_stays_at_the_end(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    terminal = Terminal()
    with ProgressLine(terminal) as line:
        line.show("first")
        line.show("x" * 30)
        line.say("stays")
        line.show("last")
    assert terminal.getvalue() == f"\rfirst\x1b[K\r{'x' * 19}\x1b[K\nstays\n\rlast\x1b[K\n"


def test_without_a_terminal_a_line_is_printed_every_few_seconds():
    seldom, often = io.StringIO(), io.StringIO()
    for output, seconds in ((seldom, 60.0), (often, 0.0)):
        with ProgressLine(output, say_seconds=seconds) as line:
            line.show("one")
            line.show("two")
    assert (seldom.getvalue(), often.getvalue()) == ("", "one\ntwo\n")


def test_the_line_shows_percent_rows_pace_and_time():
    job_id = upload(b"sku,name,description\na,A,x\n")
    job = progress.current(job_id).model_copy(
        update={"percent": 50.0, "total_rows": 2_000, "created": 1_000, "rows_per_second": 500, "eta_seconds": 2.2}
    )
    output = import_report.progress_text(job)
    assert output == f"[{'#' * 15}{'-' * 15}]  50.0 %  waiting, 1,000 of 2,000 rows, 500 rows/s, 2 s left"


def test_the_summary_of_a_dry_run_says_that_nothing_was_changed():
    job = progress.current(upload(b"sku,name,description\na,A,x\n"))
    assert "nothing was changed" in import_report.summary(job.model_copy(update={"status": "previewed"}))
    assert "nothing was changed" not in import_report.summary(job.model_copy(update={"status": "completed"}))
