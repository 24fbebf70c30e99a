"""Backups, restores and moves, with the embedded servers as source: nothing is lost, doubled or changed."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import PIPE
from uuid import uuid4

import psycopg2
import pytest
from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection

from product_importer.core.embedded import servers as test_servers
from tests.application import ROOT, Application, catalogue
from tests.conftest import as_superuser
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.embedded]

PRODUCTS = 500_000
# Enough that the import still runs when the backup begins.
RUNNING = 150_000
NOWHERE = "postgresql://127.0.0.1:1/nothing"
HOLD = "from product_importer.core.embedded import servers; print(servers.database_url(), flush=True); input()"
TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname
"""
CONTENTS = "COPY (SELECT sku, name, description, active, attributes, version FROM product ORDER BY sku_key) TO STDOUT"


class Folder(Application):
    """The command line with a `DATA_DIR` of its own."""

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "product_importer", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )

    def done(self, *words: str) -> str:
        ended = self.run(*words)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def refused(self, *words: str) -> str:
        ended = self.run(*words)
        assert ended.returncode == 1
        line = ended.stderr.splitlines()[-1]
        assert line.startswith("product-importer: ")
        return line

    def uploads(self) -> dict[str, str]:
        """Return a hash of each uploaded file, by its name."""
        files = (self.data / "uploads").glob("*")
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    @contextmanager
    def held(self) -> Iterator[str]:
        """Keep PostgreSQL running for the block, as any user of it does, and give its URL."""
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD], cwd=ROOT, env=self.environment, stdin=PIPE, stdout=PIPE, text=True
        )
        assert holder.stdout is not None
        yield holder.stdout.readline().strip()
        holder.communicate("\n")


def hashes(url: str) -> dict[str, str]:
    """Return a hash of the rows of each table, in an order that does not depend on where they lie."""
    found = {}
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
        for (table,) in cursor.fetchall():
            digest = Digest()
            rows = sql.SQL("COPY (SELECT t::text FROM {} AS t ORDER BY 1) TO STDOUT").format(sql.Identifier(table))
            cursor.copy_expert(rows, digest)
            found[table] = digest.hexdigest()
    return found


def hash_of_products(url: str) -> str:
    """Return a hash of all products, but for their ids and times."""
    digest = Digest()
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.copy_expert(CONTENTS, digest)
    return digest.hexdigest()


def connect(url: str, **options: str) -> PgConnection:
    return psycopg2.connect(url.replace("+psycopg2", ""), **options)


class Digest:
    """A file that keeps a hash of what is written to it."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        self._hash.update(chunk)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


@pytest.fixture
def folders() -> Iterator[tuple[Folder, Folder]]:
    """Two installations with nothing in them."""
    made = Folder(WORKERS="1"), Folder(WORKERS="1")
    yield made
    for folder in made:
        shutil.rmtree(folder.data.parent, ignore_errors=True)


@pytest.fixture
def new_server(servers: None) -> Iterator[str]:
    """The URL of an empty database of another server."""
    name = f"moved_{uuid4().hex}"
    given = psycopg2.extensions.parse_dsn(test_servers.database_url().replace("+psycopg2", ""))
    as_superuser("CREATE DATABASE {} OWNER {}", name, given["user"])
    yield psycopg2.extensions.make_dsn(**given | {"dbname": name})
    as_superuser("DROP DATABASE {} WITH (FORCE)", name)


def imported(folder: Folder, tmp_path: Path, rows: int) -> None:
    (tmp_path / "a.csv").write_bytes(catalogue(rows))
    folder.done("import", str(tmp_path / "a.csv"))


def test_half_a_million_products_are_backed_up_restored_and_moved(folders, new_server, tmp_path):
    old, new = folders
    imported(old, tmp_path, PRODUCTS)
    (tmp_path / "b.csv").write_bytes(catalogue(1_000, name="Changed"))
    old.done("import", str(tmp_path / "b.csv"))
    backup = tmp_path / "all.backup"
    assert old.done("backup", str(backup)) == (f"500,000 products, 2 imports and 2 uploaded files are in {backup}.\n")
    assert backup.stat().st_mode & 0o077 == 0
    assert new.done("restore", str(backup)) == "500,000 products, 2 imports and 2 uploaded files were restored.\n"
    with old.held() as first, new.held() as second:
        before = hashes(first)
        assert len(before) > 20 and before == hashes(second)
    assert old.uploads() == new.uploads() and len(old.uploads()) == 2
    told = old.done("move", "--to", url_of(new_server))
    assert "500,000 products and 2 imports were copied." in told and "secret.key" in told
    assert hashes(new_server) == before
    assert "is not empty" in old.refused("move", "--to", url_of(new_server))


def url_of(dsn: str) -> str:
    """Return a connection string as a URL."""
    parts = psycopg2.extensions.parse_dsn(dsn)
    password = f":{parts['password']}" if parts.get("password") else ""
    if parts["host"].startswith("/"):
        return f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}&port={parts['port']}"
    return f"postgresql://{parts['user']}{password}@{parts['host']}:{parts.get('port', 5432)}/{parts['dbname']}"


def test_a_backup_of_a_running_import_goes_on_where_it_was(folders, tmp_path):
    old, new = folders
    old.environment |= {"BATCH_SIZE": "1000", "IMPORT_WRITERS": "1"}
    old.start()
    job = old.upload(catalogue(RUNNING))
    wait_for(lambda: old.job(job)["phase"] == "merging" and old.job(job)["processed_rows"], 240, "it merges")
    old.done("backup", str(tmp_path / "a.backup"))
    assert old.finished(job, 240)["status"] == "completed", "the backup did not disturb it"
    assert "other sessions use the database" in old.refused("move", "--to", NOWHERE)
    assert old.stop() == 0
    with zipfile.ZipFile(tmp_path / "a.backup") as archive:
        assert len(archive.namelist()) == 3
    new.done("restore", str(tmp_path / "a.backup"))
    new.start()
    ended = new.finished(job, 240)
    assert (ended["status"], ended["created"], ended["total_rows"]) == ("completed", RUNNING, RUNNING)
    assert new.stop() == 0
    lines = (f"SKU-{n:07}\tName {n}\tThe text of product {n}\tt\t{{}}\t1\n" for n in range(RUNNING))
    whole = hashlib.sha256("".join(lines).encode()).hexdigest()
    with old.held() as first, new.held() as second:
        assert hash_of_products(first) == hash_of_products(second) == whole


def test_what_is_no_whole_backup_is_refused_and_changes_nothing(folders, tmp_path):
    old, new = folders
    with old.held(), new.held():
        imported(old, tmp_path, 1_000)
        whole = tmp_path / "a.backup"
        old.done("backup", str(whole))
        content = whole.read_bytes()
        damaged = tmp_path / "damaged.backup"
        for wrong, words in (
            (b"", "is no backup"),
            (content[: len(content) // 2], "is no backup"),
            (content[:500] + bytes([content[500] ^ 1]) + content[501:], "damaged"),
            (repacked(whole, lambda name, data: (name.replace("uploads/", "uploads/../"), data)), "is no backup"),
            (repacked(whole, lambda name, data: (name, data.replace(b'"revision": "', b'"revision": "x'))), "newer"),
            (
                repacked(whole, lambda name, data: (name, data.replace(b'"product": 1', b'"product": 2'))),
                "in place of",
            ),
            (repacked(whole, lambda name, data: (name, data[:-500] if name.endswith("sql") else data)), "incomplete"),
            (repacked(whole, lambda name, data: (name, data.replace(b"\tt\t", b"\tmaybe\t", 1))), "psql failed"),
        ):
            damaged.write_bytes(wrong)
            assert words in new.refused("restore", str(damaged))
            assert new.uploads() == {}
        assert "cannot be read" in new.refused("restore", str(tmp_path / "missing"))
        shutil.copytree(old.data / "uploads", new.data / "uploads", dirs_exist_ok=True)
        assert "psql failed" in new.refused("restore", str(damaged))
        assert new.uploads() == old.uploads(), "a file that was there stays"
        assert "not empty" in old.refused("restore", str(whole))
        assert "1,000 products" in new.done("restore", str(whole)), "all refusals left it empty"
        assert "--to must begin with postgresql://" in old.refused("move", "--to", "mysql://x")
        assert "cannot be written" in old.refused("backup", "/proc/a.backup")


def test_a_move_beside_work_or_a_worker_that_waits_is_refused(folders, tmp_path):
    old, _ = folders
    imported(old, tmp_path, 10)
    with old.held() as url, closing(connect(url, application_name="import 1")):
        assert "one is “import 1”" in old.refused("move", "--to", NOWHERE)
    worker = old.spawn("worker", "--queue", "webhooks")
    wait_for(lambda: "workers are running (1)" in old.refused("move", "--to", NOWHERE), 60, "the worker is seen")
    worker.terminate()
    worker.wait(60)
    assert "does not answer" in old.refused("move", "--to", NOWHERE), "nothing runs: only the new server is missing"


def repacked(path: Path, change) -> bytes:
    """Return the archive with each member changed."""
    target = path.with_name("repacked")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name in source.namelist():
            made.writestr(*change(name, source.read(name)))
    return target.read_bytes()
