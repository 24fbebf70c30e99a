"""The embedded servers, with real processes and real kill -9."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psycopg2
import pytest
import redis

from product_importer.core.embedded import postgres_tuning
from product_importer.core.embedded.files import Lock, ServiceError, ServiceFiles, is_locked, is_shared, run_as
from product_importer.core.embedded.postgres import PostgresServer
from product_importer.core.embedded.sockets import socket_directory
from product_importer.core.embedded.supervisor import SERVERS
from product_importer.core.embedded.valkey import ValkeyServer
from tests.waiting import wait_for

pytestmark = pytest.mark.embedded

PROJECT = Path(__file__).parents[3]
# A stop ends with a checkpoint, and the disk may have other work.
SECONDS = 60
USER = """
import sys
from product_importer.core.embedded import servers
try:
    print(servers.database_url() if sys.argv[1] == "postgres" else servers.redis_url(), flush=True)
except servers.ServiceError as error:
    sys.exit(str(error))
sys.stdin.read()
"""
FORKING_USER = USER.replace("sys.stdin.read()", "import os\nif os.fork(): os._exit(0)\nsys.stdin.read()")


class User:
    """A process that uses a server until it is told to end, or killed."""

    def __init__(self, data_dir: Path, name: str, program: str = USER) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, name],
            cwd=PROJECT,
            env={**_environment(), "DATA_DIR": str(data_dir)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def url(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line, self.error
        return line

    @property
    def error(self) -> str:
        return self.process.communicate()[1].strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a data directory with a stopped cluster, to be copied: `initdb` is the slowest step."""
    data_dir = _reachable(tmp_path_factory.mktemp("cluster")) / "data"
    with User(data_dir, "postgres") as user:
        assert user.url.startswith("postgresql+psycopg2://product_importer@/product_importer?host=")
    _wait_until_stopped(data_dir, "postgres")
    return data_dir


@pytest.fixture
def data_dir(tmp_path: Path, cluster: Path) -> Iterator[Path]:
    copy = _reachable(tmp_path) / "data"
    _copy(cluster, copy)
    yield copy
    for name in ("postgres", "valkey"):
        if ServiceFiles(copy, name).supervisor.exists():
            _wait_until_stopped(copy, name)


def test_postgres_runs_as_long_as_somebody_uses_it(data_dir: Path) -> None:
    with User(data_dir, "postgres") as first:
        url = first.url
        with User(data_dir, "postgres") as second:
            assert second.url == url
            first.kill()
            assert _query(url, "SELECT 1") == 1
            assert is_shared(ServiceFiles(data_dir, "postgres").users)
    _wait_until_stopped(data_dir, "postgres")
    assert "database system is shut down" in ServiceFiles(data_dir, "postgres").log.read_text()


def test_valkey_keeps_its_data_and_evicts_nothing(data_dir: Path) -> None:
    with User(data_dir, "valkey") as user:
        client = redis.Redis.from_url(user.url)
        client.set("kept", "yes")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        client.close()
    _wait_until_stopped(data_dir, "valkey")
    with User(data_dir, "valkey") as user:
        client = redis.Redis.from_url(user.url)
        assert client.get("kept") == b"yes"
        client.close()


def test_text_is_unicode_and_durability_is_on(data_dir: Path) -> None:
    with User(data_dir, "postgres") as user:
        url = user.url
        assert _query(url, "SELECT lower('ÄÉЖ') || ('ÉCOLE' ILIKE '%école%')::text") == "äéжtrue"
        for name, value in {
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "listen_addresses": "",
            "TimeZone": "UTC",
            "server_encoding": "UTF8",
        }.items():
            assert _query(url, f"SHOW {name}") == value
    mode = PostgresServer(data_dir).socket.parent.stat().st_mode
    assert mode & 0o077 == 0


def test_users_that_start_together_share_one_new_server(tmp_path: Path) -> None:
    data_dir = _reachable(tmp_path) / "new"
    users = [User(data_dir, "postgres") for _ in range(4)]
    try:
        assert len({user.url for user in users}) == 1
    finally:
        for user in users:
            user.__exit__()
    _wait_until_stopped(data_dir, "postgres")
    assert ServiceFiles(data_dir, "postgres").log.read_text().count("supervisor: starting") == 1


def test_forked_child_keeps_the_server(data_dir: Path) -> None:
    with User(data_dir, "postgres", FORKING_USER) as user:
        url = user.url
        user.process.wait()
        assert _query(url, "SELECT 1") == 1
        assert is_shared(ServiceFiles(data_dir, "postgres").users)
        assert user.process.stdin is not None
        user.process.stdin.close()
        _wait_until_stopped(data_dir, "postgres")
        user.process.stdin = Path(os.devnull).open("w")  # noqa: SIM115


def test_new_user_during_the_stop_gets_a_running_server(data_dir: Path) -> None:
    for _ in range(3):
        with User(data_dir, "postgres") as leaving:
            leaving.url  # noqa: B018
        with User(data_dir, "postgres") as coming:
            assert _query(coming.url, "SELECT 1") == 1


def test_killed_postgres_comes_back_with_what_was_committed(data_dir: Path) -> None:
    with User(data_dir, "postgres") as user:
        url = user.url
        _execute(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        first = PostgresServer(data_dir).pid()
        assert first
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: PostgresServer(data_dir).pid() not in {None, first}, SECONDS, "a new server")
        wait_for(PostgresServer(data_dir).answers, SECONDS, "recovery")
        assert _query(url, "SELECT answer FROM kept") == 42


def test_killed_valkey_comes_back(data_dir: Path) -> None:
    with User(data_dir, "valkey") as user:
        user.url  # noqa: B018
        server = ValkeyServer(data_dir)
        first = server.pid()
        assert first
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: server.pid() not in {None, first}, SECONDS, "a new server")


def test_killed_supervisor_ends_the_server_and_is_replaced(data_dir: Path) -> None:
    files = ServiceFiles(data_dir, "postgres")
    with User(data_dir, "postgres") as user:
        user.url  # noqa: B018
        os.kill(_supervisor(files), signal.SIGKILL)
        with User(data_dir, "postgres") as second:
            wait_for(lambda: is_locked(files.supervisor), SECONDS, "a new supervisor")
            url = second.url
            wait_for(lambda: _answers(url), SECONDS, "a server")
    if sys.platform.startswith("linux"):
        _wait_until_stopped(data_dir, "postgres")


@pytest.mark.parametrize("name", SERVERS)
def test_server_without_supervisor_is_adopted_and_stopped_at_the_end(data_dir: Path, name: str) -> None:
    """This happens on macOS after a supervisor was killed. On Linux the server ends with its supervisor."""
    files, server = ServiceFiles(data_dir, name), SERVERS[name](data_dir)
    files.make_directories()
    files.log.unlink(missing_ok=True)
    command, account = server.prepare()
    lock = Lock(files.server)
    assert lock.try_exclusive()
    with subprocess.Popen(command, pass_fds=[lock.fd], stderr=subprocess.DEVNULL, **run_as(account)) as orphan:
        lock.close()
        wait_for(server.answers, SECONDS, "an answer")
        with User(data_dir, name) as user:
            assert user.url
            assert is_locked(files.supervisor)
            assert orphan.poll() is None
            assert server.pid() == orphan.pid
        assert orphan.wait(SECONDS) == 0
    assert "supervisor: starting" not in files.log.read_text()


def test_process_id_of_another_program_does_not_keep_postgres_from_starting(data_dir: Path) -> None:
    data = data_dir / "postgres" / "data"
    owner = data.stat()
    with subprocess.Popen(["sleep", "60"], **_as(owner)) as other:  # type: ignore[call-overload]
        (data / "postmaster.pid").write_text(f"{other.pid}\n{data}\n1700000000\n5432\n{data}\n\n\n")
        os.chown(data / "postmaster.pid", owner.st_uid, owner.st_gid)
        with User(data_dir, "postgres") as user:
            assert _query(user.url, "SELECT 1") == 1
        assert other.poll() is None
        other.kill()


def test_incomplete_cluster_is_created_again(data_dir: Path) -> None:
    home = data_dir / "postgres"
    (home / "data").rename(home / "data.unfinished")
    (home / "data.unfinished" / "PG_VERSION").unlink()
    with User(data_dir, "postgres") as user:
        assert _query(user.url, "SELECT 1") == 1
    assert not (home / "data.unfinished").exists()


def test_servers_hold_no_locks_of_users_or_supervisors(data_dir: Path) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    with User(data_dir, "postgres") as user:
        user.url  # noqa: B018
        pid = PostgresServer(data_dir).pid()
        opened = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    locks = {Path(name).name for name in opened if str(data_dir / "run") in name}
    assert locks == {"postgres.server"}


def test_removed_data_directory_ends_the_server(data_dir: Path) -> None:
    with User(data_dir, "postgres") as user:
        user.url  # noqa: B018
        pid = PostgresServer(data_dir).pid()
        shutil.rmtree(data_dir)
        wait_for(lambda: not _is_alive(pid), SECONDS, "the end of a server without data")


def test_other_major_version_is_rejected_in_one_line(data_dir: Path) -> None:
    (data_dir / "postgres" / "data" / "PG_VERSION").write_text("15\n")
    with User(data_dir, "postgres") as user:
        error = user.error
    assert "was written by PostgreSQL 15 and this is PostgreSQL 18" in error
    assert len(error.splitlines()) == 1


def test_broken_cluster_is_reported_with_the_servers_error(data_dir: Path) -> None:
    (data_dir / "postgres" / "data" / "global" / "pg_control").unlink()
    with User(data_dir, "postgres") as user:
        error = user.error
    assert error.startswith("PostgreSQL did not start: ")
    assert "pg_control" in error
    assert len(error.splitlines()) == 1


def test_data_dir_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with User(tmp_path / "file" / "data", "postgres") as user:
        error = user.error
    assert str(tmp_path / "file" / "data") in error
    assert len(error.splitlines()) == 1


def test_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=12 * 1024 * 1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ServiceError, match=r"has 12 MB left and PostgreSQL needs 256 MB: free some space"):
        PostgresServer(_reachable(tmp_path)).prepare()


@pytest.mark.parametrize("folder", ["x" * 120, "with space", 'it\'s, a "list"', "100%"])
def test_unusual_paths_work(tmp_path: Path, folder: str, cluster: Path) -> None:
    data_dir = _reachable(tmp_path) / folder
    _copy(cluster, data_dir)
    with User(data_dir, "postgres") as user:
        url = user.url
        assert "%" not in url
        assert _query(url, "SELECT 1") == 1
    _wait_until_stopped(data_dir, "postgres")


def test_foreign_directory_in_tmp_is_rejected(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 100)
    tmp_path.mkdir(exist_ok=True)
    directory = socket_directory(home, tmp_path, "socket")
    directory.mkdir(mode=0o700)
    try:
        assert socket_directory(home, tmp_path, "socket") == directory
        directory.chmod(0o777)
        with pytest.raises(ServiceError, match="is not a private directory"):
            socket_directory(home, tmp_path, "socket")
    finally:
        directory.rmdir()


def test_small_machine_gets_small_buffers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(postgres_tuning, "memory_bytes", lambda: 512 * postgres_tuning.MEBIBYTE)
    chosen = postgres_tuning.options(tmp_path, tmp_path, tmp_path)
    assert "shared_buffers=128MB" in chosen
    assert "maintenance_work_mem=32MB" in chosen
    assert "wal_buffers=8MB" in chosen


def _copy(cluster: Path, data_dir: Path) -> None:
    subprocess.run(["cp", "-a", cluster, data_dir], check=True)


def _reachable(path: Path) -> Path:
    """Open the folders above to other accounts: as root the server runs as one that cannot pass pytest's folders."""
    if os.geteuid() == 0:
        for folder in (path, *path.parents):
            if folder.owner() == "root" and folder.name.startswith(("pytest-", "popen-", "test_", "cluster")):
                folder.chmod(0o711)
    return path


def _environment() -> dict[str, str]:
    """Return the environment without variables that would change the servers."""
    kept = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    return {**kept, "PGPORT": "1", "PGDATA": "/nonexistent", "PGHOST": "nowhere"}


def _wait_until_stopped(data_dir: Path, name: str) -> None:
    files = ServiceFiles(data_dir, name)

    def is_stopped() -> bool:
        return not is_locked(files.supervisor) and not is_locked(files.server)

    wait_for(is_stopped, SECONDS, f"{name} has stopped; {files.log.read_text()[-2000:]}")


def _supervisor(files: ServiceFiles) -> int:
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True)
    wanted = f"product_importer.core.embedded.supervisor {files.name} {files.data_dir}"
    return next(int(line.split()[0]) for line in listed.stdout.splitlines() if line.endswith(wanted))


def _execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def _query(url: str, statement: str) -> object:
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone()
            assert row is not None
            return row[0]
    finally:
        connection.close()


def _answers(url: str) -> bool:
    try:
        return _query(url, "SELECT 1") == 1
    except psycopg2.OperationalError:
        return False


def _is_alive(pid: int | None) -> bool:
    assert pid
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _as(owner: os.stat_result) -> dict[str, object]:
    """The arguments of Popen to run as the owner of a file."""
    if os.geteuid():
        return {}
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
