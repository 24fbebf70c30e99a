"""Run PostgreSQL's own pg_dump and psql."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import make_dsn

from product_importer.core.embedded.files import ServiceError
from product_importer.core.embedded.postgres_account import programs

# Of the connection itself, not of what it connects to.
UNSHARED = {"application_name", "fallback_application_name", "target_session_attrs", "options"}
# Everything belongs to the role that restores it. The comment of an extension belongs to a superuser.
DUMP = ("--format=plain", "--no-owner", "--no-privileges", "--no-comments", "--no-password")
RESTORE = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--no-password")
CHUNK_BYTES = 1 << 20
# pg_dump writes it at the beginning, and servers before 17 do not know it.
UNKNOWN_SETTING = b"SET transaction_timeout = 0;\n"
KNOWN_SINCE = 170_000
# Its last line but one or two: without it, the dump broke off.
COMPLETE = b"-- PostgreSQL database dump complete\n"
TAIL_BYTES = 1_000
# Other sessions do not see what psql has not committed: it compares the numbers itself.
EXPECTED = """
CREATE TEMPORARY TABLE expected_rows (name text, number bigint) ON COMMIT DROP;
COPY pg_temp.expected_rows FROM stdin;
"""
COMPARE = """\\.
DO $$
DECLARE
    expected record;
    found bigint;
BEGIN
    FOR expected IN SELECT name, number FROM pg_temp.expected_rows LOOP
        EXECUTE format('SELECT count(*) FROM public.%I', expected.name) INTO found;
        IF found <> expected.number THEN
            RAISE EXCEPTION 'the table “%” has % rows in place of %', expected.name, found, expected.number;
        END IF;
    END LOOP;
END $$;
"""


@contextmanager
def dumped(source: PgConnection, snapshot: str) -> Iterator[IO[bytes]]:
    """Give what pg_dump writes of a snapshot of the database that `source` is connected to: SQL.

    Raises:
        ServiceError: pg_dump is missing or fails; the message has its last line.
    """
    with _running("pg_dump", source, *DUMP, f"--snapshot={snapshot}", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.stdout


@contextmanager
def restored(dump: IO[bytes], target: PgConnection, rows: dict[str, int]) -> Iterator[None]:
    """Let psql run a dump on the database that `target` is connected to, and commit it when the block has ended.

    `rows` are the numbers of rows by table that it must have then.

    Raises:
        ServiceError: the dump is incomplete, a number differs, psql is missing or fails; the message has its first
            error.
    """
    with _running("psql", target, *RESTORE, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        process.stdin.write(b"BEGIN;\n")
        tail = b""
        for chunk in _chunks(dump, target.server_version):
            process.stdin.write(chunk)
            tail = (tail + chunk)[-TAIL_BYTES:]
        # psql rolls back what is not committed when its input ends.
        if COMPLETE not in tail:
            raise ServiceError("the dump of the database is incomplete; nothing was restored")
        process.stdin.write(_comparison(rows))
        process.stdin.flush()
        yield
        process.stdin.write(b"COMMIT;\n")
        process.stdin.close()


def copy(source: IO[bytes], target: IO[bytes]) -> None:
    """Copy the rest of a stream."""
    shutil.copyfileobj(source, target, CHUNK_BYTES)


def _chunks(dump: IO[bytes], server_version: int) -> Iterator[bytes]:
    """Yield a dump as a server of this version takes it."""
    head = dump.read(CHUNK_BYTES)
    yield head if server_version >= KNOWN_SINCE else head.replace(UNKNOWN_SETTING, b"", 1)
    while chunk := dump.read(CHUNK_BYTES):
        yield chunk


def _comparison(rows: dict[str, int]) -> bytes:
    """Return what fails in psql unless the tables have these numbers of rows."""
    lines = "".join(f"{table}\t{number}\n" for table, number in rows.items())
    return f"{EXPECTED}{lines}{COMPARE}".encode()


@contextmanager
def _running(
    name: str, connection: PgConnection, *options: str, stdin: int | None = None, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program beside the block, which must not end before all is read or written."""
    database, environment = _access(connection)
    command = [_path(name), f"--dbname={database}", *options]
    process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=environment)
    try:
        yield process
    except BrokenPipeError:
        # The program has ended early: it says why.
        process.wait()
    except BaseException:
        process.kill()
        raise
    finally:
        complaints = _end(process)
    if process.returncode:
        raise ServiceError(f"{name} failed: {complaints}")


def _end(process: subprocess.Popen[bytes]) -> str:
    """Wait for the program, and return its first error, or the last line that it wrote to standard error."""
    # Its pipe to us is closed, for it has read or written everything.
    lines = (process.stderr.read() if process.stderr else b"").decode(errors="replace").strip().splitlines()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()
    errors = [line for line in lines if "ERROR" in line] or lines[-1:]
    return errors[0] if errors else f"exit code {process.returncode}"


def _access(connection: PgConnection) -> tuple[str, dict[str, str]]:
    """Return what reaches the same server, and an environment with the password: anybody sees the arguments."""
    parameters = {name: value for name, value in connection.info.dsn_parameters.items() if name not in UNSHARED}
    parameters |= {"host": connection.info.host, "port": str(connection.info.port)}
    password = connection.info.password
    # Of the caller's variables for PostgreSQL, none may lead elsewhere.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return make_dsn(**parameters), clean | ({"PGPASSWORD": password} if password else {})


def _path(name: str) -> str:
    """Return the path of a program: of the embedded PostgreSQL, which is the newest, or of this machine's."""
    try:
        return str(programs() / "bin" / name)
    except ServiceError:
        found = shutil.which(name)
    if found is None:
        raise ServiceError(f"{name} is not installed: install the client programs of PostgreSQL 18")
    return found
