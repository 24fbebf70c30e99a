"""Connect as the superuser of an embedded server, which only tests need."""

import os
import signal
from pathlib import Path

import psycopg2

from product_importer.core.embedded.postgres import PostgresServer
from product_importer.core.embedded.postgres_role import MAINTENANCE_DATABASE, SUPERUSER
from tests.waiting import wait_for

EVERYBODY = "local all all trust\n"


def let_in(data_dir: Path) -> str:
    """Let every local user connect to a running server, and return the URL of its superuser."""
    server = PostgresServer(data_dir)
    access = server.data / "pg_hba.conf"
    pid = server.pid()
    assert pid is not None, "PostgreSQL does not run"
    if EVERYBODY not in access.read_text():
        with access.open("a") as file:
            file.write(EVERYBODY)
        os.kill(pid, signal.SIGHUP)
    url = f"postgresql://{SUPERUSER}@/{MAINTENANCE_DATABASE}?host={server.socket.parent}&port=5432"
    wait_for(lambda: is_let_in(url), 10, "the superuser is let in")
    return url


def is_let_in(url: str) -> bool:
    """Whether the server accepts a connection."""
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError:
        return False
    return True
