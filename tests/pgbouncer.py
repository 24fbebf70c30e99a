"""A PgBouncer in front of the tests' PostgreSQL, in transaction mode."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import URL

from product_importer.core.embedded import postgres_account
from product_importer.core.embedded.files import private_directory, run_as
from tests.application import data_folder, free_port
from tests.waiting import wait_for

# Debian installs it where only root looks.
PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
MISSING = (
    "NOT TESTED: the application behind PgBouncer needs pgbouncer on the PATH; on Debian: apt-get install pgbouncer"
)
needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason=MISSING)
# Far fewer than the application's own pools have.
POOL_SIZE = 8
SETTINGS = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
admin_users = {user}
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
logfile = {folder}/log
"""


@contextmanager
def pgbouncer(url: URL, size: int = POOL_SIZE) -> Iterator[URL]:
    """Start it in front of a server, and yield the URL behind it."""
    assert PROGRAM and url.username
    home = data_folder()
    account = postgres_account.choose(home, home)
    folder = private_directory(home, account)
    made = URL.create(url.drivername, url.username, host="127.0.0.1", port=free_port(), database=url.database)
    write_files(folder, url, made, size)
    started = subprocess.Popen([PROGRAM, "--quiet", str(folder / "settings.ini")], cwd="/", **run_as(account))
    try:
        wait_for(lambda: answers(made), 30, "PgBouncer answers")
        yield made
    finally:
        started.terminate()
        started.wait(30)
        shutil.rmtree(folder.parent)


def write_files(folder: Path, url: URL, made: URL, size: int) -> None:
    """Write the settings, and the user with the password that the server wants."""
    host, port = url.query.get("host", url.host), url.query.get("port", url.port or 5432)
    values = {"host": host, "port": port, "listen": made.port, "folder": folder, "user": url.username, "size": size}
    (folder / "settings.ini").write_text(SETTINGS.format(**values))
    (folder / "users").write_text(f'"{url.username}" "{url.password or ""}"\n')
    for path in folder.iterdir():
        path.chmod(0o644)


def answers(url: URL) -> bool:
    try:
        ask(url, "SHOW VERSION")
    except psycopg2.OperationalError:
        return False
    return True


def ask(url: URL, question: str) -> list[dict]:
    """Ask PgBouncer's own console."""
    connection = psycopg2.connect(host=url.host, port=url.port, user=url.username, dbname="pgbouncer")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(question)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        connection.close()
