"""The application's role on the embedded PostgreSQL: its limits, and the hand-over of clusters to it."""

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection as PgConnection

from product_importer.core.embedded import postgres_role
from product_importer.core.embedded.files import Lock, ServiceFiles, run_as
from product_importer.core.embedded.postgres import PostgresServer
from tests.core.embedded.test_servers import User, _copy, _query, _reachable, _wait_until_stopped
from tests.waiting import wait_for

pytestmark = pytest.mark.embedded

# Everything that an older version created as the superuser, and what a person may have added with psql.
OLD_DATABASE = """
CREATE EXTENSION pg_trgm;
CREATE TABLE product (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE INDEX ON product USING gin (name gin_trgm_ops);
CREATE TABLE noted (n serial, name text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO noted (name) VALUES (NEW.name); RETURN NEW; END $$;
CREATE TRIGGER note AFTER INSERT ON product FOR EACH ROW EXECUTE FUNCTION note();
CREATE UNLOGGED TABLE import_staging_1 (line bigint);
CREATE UNLOGGED TABLE import_staging_1_1 () INHERITS (import_staging_1);
CREATE TABLE "a ""quoted"" % name" ();
CREATE SEQUENCE counter;
CREATE VIEW names AS SELECT name FROM product;
CREATE MATERIALIZED VIEW kept AS SELECT name FROM product;
CREATE TYPE state AS ENUM ('on', 'off');
CREATE TYPE pair AS (a integer, b integer);
CREATE DOMAIN short AS text CHECK (length(VALUE) < 9);
CREATE SCHEMA other;
CREATE TABLE other.thing ();
INSERT INTO product (name) SELECT 'Old ' || n FROM generate_series(1, 50) AS n;
"""
NOT_THE_ROLES = f"""
SELECT name FROM ({postgres_role.OWNED.replace("current_user", "'postgres'")}) AS found (name)
UNION ALL SELECT datname FROM pg_database WHERE datname = current_database() AND datdba::regrole::text = 'postgres'
"""
ATTRIBUTES = """
SELECT array[rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls]
FROM pg_roles WHERE rolname = current_user
"""
MEMBERSHIPS = "SELECT count(*) FROM pg_auth_members WHERE member = current_user::regrole"


@contextmanager
def superuser(data_dir: Path, database: str = postgres_role.DATABASE) -> Iterator[PgConnection]:
    """Connect as the superuser, with each statement in its own transaction."""
    folder = PostgresServer(data_dir).socket.parent
    with closing(psycopg2.connect(host=str(folder), port=5432, user="postgres", dbname=database)) as connection:
        connection.autocommit = True
        yield connection


@contextmanager
def running(data_dir: Path) -> Iterator[None]:
    """Run the server under a supervisor that does not hand over the cluster, as in an older version."""
    files, server = ServiceFiles(data_dir, "postgres"), PostgresServer(data_dir)
    files.make_directories()
    command, account = server.prepare()
    supervisor, lock = Lock(files.supervisor), Lock(files.server)
    assert supervisor.try_exclusive() and lock.try_exclusive()
    with (
        files.log.open("a") as log,
        subprocess.Popen(command, pass_fds=[lock.fd], stdout=log, stderr=log, **run_as(account)) as process,
    ):
        lock.close()
        try:
            yield
        finally:
            process.send_signal(server.stop_signal)
            assert process.wait(60) == 0
            supervisor.close()


def takes_superuser(data_dir: Path) -> bool:
    try:
        with superuser(data_dir, "postgres"):
            return True
    except psycopg2.OperationalError:
        return False


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a stopped cluster of an older version: everything belongs to the superuser, who may log in."""
    data_dir = _reachable(tmp_path_factory.mktemp("cluster")) / "data"
    with running(data_dir):
        wait_for(lambda: takes_superuser(data_dir), 30, "an answer")
        with superuser(data_dir, "postgres") as connection:
            connection.cursor().execute("CREATE DATABASE product_importer")
        with superuser(data_dir) as connection, connection.cursor() as cursor:
            cursor.execute(OLD_DATABASE)
            cursor.execute(NOT_THE_ROLES)
            # Check that the query of the tests can find something.
            assert len(cursor.fetchall()) == 15
    return data_dir


@pytest.fixture
def data_dir(tmp_path: Path, old: Path) -> Iterator[Path]:
    copy = _reachable(tmp_path) / "data"
    _copy(old, copy)
    yield copy
    _wait_until_stopped(copy, "postgres")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a new server."""
    data_dir = _reachable(tmp_path_factory.mktemp("cluster")) / "new"
    with User(data_dir, "postgres") as user:
        yield user.url
    _wait_until_stopped(data_dir, "postgres")


def test_the_role_can_log_in_and_owns_its_database_and_nothing_else(url: str) -> None:
    assert url.startswith("postgresql+psycopg2://product_importer@/product_importer?host=")
    assert _query(url, ATTRIBUTES) == [True, False, False, False, False, False]
    assert _query(url, MEMBERSHIPS) == 0
    owned = "SELECT array_agg(datname::text) FROM pg_database WHERE datdba = current_user::regrole"
    assert _query(url, owned) == ["product_importer"]


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO PROGRAM 'touch {canary}'",
        "COPY (SELECT 1) TO '{canary}'",
        "CREATE TABLE passwd (line text); COPY passwd FROM '/etc/passwd'",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT pg_ls_dir('.')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_from_bytea(4711, 'x'); SELECT lo_export(4711, '{canary}')",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "ALTER ROLE product_importer SUPERUSER",
        "GRANT pg_execute_server_program TO product_importer",
        "CREATE ROLE another",
        "CREATE DATABASE another",
        "CREATE EXTENSION dblink",
        "CREATE EXTENSION postgres_fdw",
        "CREATE EXTENSION file_fdw",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE c AS 'libc', 'getpid'",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE internal AS 'pg_backend_pid'",
        "LOAD 'auto_explain'",
        "ALTER SYSTEM SET archive_command = 'touch {canary}'",
        "CREATE SUBSCRIPTION s CONNECTION 'dbname=postgres user=postgres' PUBLICATION p",
        "SET session_replication_role = replica",
        "SELECT rolpassword FROM pg_authid",
        "UPDATE pg_proc SET prosrc = 'x'",
        "SELECT pg_reload_conf()",
    ],
)
def test_the_role_can_reach_neither_programs_nor_files_nor_the_superuser(
    url: str, statement: str, tmp_path: Path
) -> None:
    # A folder in which the account of the server may write.
    _reachable(tmp_path)
    tmp_path.chmod(0o777)
    canary = tmp_path / "canary"
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            connection.cursor().execute(statement.format(canary=canary))
    assert not canary.exists()


@pytest.mark.parametrize("database", ["product_importer", "postgres", "template1"])
@pytest.mark.parametrize("role", ["postgres", "product_importer"])
def test_only_the_role_can_connect_and_only_to_its_database(url: str, role: str, database: str) -> None:
    other = url.replace("product_importer@/product_importer", f"{role}@/{database}")
    if other == url:
        assert _query(url, "SELECT 1") == 1
    else:
        with pytest.raises(psycopg2.OperationalError, match=r"no pg_hba\.conf entry"):
            _query(other, "SELECT 1")


def test_an_old_cluster_is_handed_over_at_the_next_start(data_dir: Path) -> None:
    with User(data_dir, "postgres") as user:
        assert_handed_over(data_dir, user.url)


def test_a_cluster_that_was_handed_over_is_not_changed(data_dir: Path) -> None:
    with User(data_dir, "postgres") as user:
        user.url  # noqa: B018
    _wait_until_stopped(data_dir, "postgres")
    access = data_dir / "postgres" / "data" / "pg_hba.conf"
    access.write_text(access.read_text() + "local all postgres reject\n")
    before = access.stat()
    with User(data_dir, "postgres") as user:
        assert_handed_over(data_dir, user.url)
    assert (access.stat().st_ino, access.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_processes_that_start_together_on_an_old_cluster_do_not_disturb_each_other(data_dir: Path) -> None:
    users = [User(data_dir, "postgres") for _ in range(4)]
    try:
        for user in users:
            assert_handed_over(data_dir, user.url)
    finally:
        for user in users:
            user.__exit__()


def test_a_server_that_an_older_version_runs_is_handed_over_and_its_sessions_are_ended(data_dir: Path) -> None:
    with running(data_dir):
        wait_for(lambda: takes_superuser(data_dir), 30, "an answer")
        with superuser(data_dir) as earlier, User(data_dir, "postgres") as user:
            assert_handed_over(data_dir, user.url)
            with pytest.raises(psycopg2.OperationalError):
                earlier.cursor().execute("CREATE TABLE late ()")


def test_an_interrupted_hand_over_is_finished_at_the_next_start(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(Exception):
        pass

    def cut(_: Path) -> None:
        raise Cut

    with running(data_dir):
        wait_for(lambda: takes_superuser(data_dir), 30, "an answer")
        server = PostgresServer(data_dir)
        with monkeypatch.context() as patch, pytest.raises(Cut):
            patch.setattr(postgres_role, "_write_hba", cut)
            server.complete()
        assert not server.answers()
        with superuser(data_dir) as connection:
            connection.cursor().execute("CREATE TABLE between ()")
    with User(data_dir, "postgres") as user:
        assert_handed_over(data_dir, user.url)


def test_a_new_cluster_without_a_database_gets_one(data_dir: Path) -> None:
    with running(data_dir):
        wait_for(lambda: takes_superuser(data_dir), 30, "an answer")
        with superuser(data_dir, "postgres") as connection:
            connection.cursor().execute("DROP DATABASE product_importer")
    with User(data_dir, "postgres") as user:
        assert _query(user.url, "SELECT current_user::text") == "product_importer"


def assert_handed_over(data_dir: Path, url: str) -> None:
    """Check that the role owns and can use everything, and that the superuser is locked out."""
    assert _query(url, ATTRIBUTES) == [True, False, False, False, False, False]
    assert _query(url, f"SELECT coalesce(array_agg(name), '{{}}') FROM ({NOT_THE_ROLES}) AS found (name)") == []
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection:
        for statement in (
            "INSERT INTO product (name) VALUES ('New')",
            "ALTER TABLE import_staging_1_1 SET LOGGED",
            "DROP TABLE import_staging_1 CASCADE",
            "CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
            "CREATE INDEX ON noted USING gin (name gin_trgm_ops)",
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            "TRUNCATE product RESTART IDENTITY",
            "REFRESH MATERIALIZED VIEW kept",
            "ALTER TYPE state ADD VALUE 'between'",
            "DROP SCHEMA other CASCADE",
            'DROP TABLE "a ""quoted"" % name"',
        ):
            connection.cursor().execute(statement)
        connection.rollback()
    assert _query(url, "SELECT count(*) FROM product") == 50
    assert not takes_superuser(data_dir)
