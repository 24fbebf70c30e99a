"""PostgreSQL clusters of a test's own: of every installed version, with a standby, killed and promoted."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2

from product_importer.core.embedded import postgres_account
from product_importer.core.embedded.files import clean_environment, private_directory, run_as
from tests.application import data_folder, free_port
from tests.waiting import wait_for

DEBIAN = Path("/usr/lib/postgresql")
ROLE, DATABASE = "product_importer", "shop"
START_SECONDS = 60
# No host of a test loses power.
OPTIONS = {"fsync": "off", "max_connections": "60", "shared_buffers": "32MB"}
REPLICATES = "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '{}'"


def versions() -> dict[str, Path | None]:
    """Return the programs of each version that Debian's packages have installed; None for the embedded one."""
    found = sorted(DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name)) if DEBIAN.exists() else []
    return {"embedded": None, **{path.parent.name: path for path in found}}


@dataclass(frozen=True)
class Place:
    """Where a server runs: its address, the network that may enter, and the words that run a command there."""

    address: str = "127.0.0.1"
    network: str = "127.0.0.1/32"
    before: Sequence[str] = ()


HERE = Place()


class Cluster:
    """A cluster with the application's role and database, on a port of an address of this machine or of a host."""

    def __init__(self, programs: Path | None = None, place: Place = HERE):
        home = data_folder()
        self.place = place
        self.account = postgres_account.choose(home, home / "data")
        self.programs = programs or postgres_account.reachable_programs(self.account) / "bin"
        self.home = private_directory(home, self.account)
        self.data = self.home / "data"
        self.log = self.home / "log"
        self.port = free_port()

    @property
    def address(self) -> str:
        return f"{self.place.address}:{self.port}"

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}@{self.address}/{DATABASE}"

    def create(self) -> None:
        """Create the cluster, start it, and make role and database."""
        self._run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C")
        with (self.data / "pg_hba.conf").open("a") as file:
            file.write("".join(f"host {kind} all {self.place.network} trust\n" for kind in ("all", "replication")))
        self.start()
        self.execute(f"CREATE ROLE {ROLE} LOGIN")
        self.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")

    def start(self) -> None:
        where = {"listen_addresses": self.place.address, "port": self.port, "unix_socket_directories": self.home}
        options = " ".join(f"-c {name}={value}" for name, value in {**OPTIONS, **where}.items())
        self._run("pg_ctl", "start", "--wait", f"--log={self.log}", f"--options={options}")

    def make_standby(self, port: int | None = None, place: Place = HERE, *, is_synchronous: bool = True) -> "Cluster":
        """Make and start a standby; without a synchronous one no transaction is acknowledged from now on."""
        made = Cluster(self.programs, place)
        made.port = port or made.port
        primary = ["-h", self.place.address, "-p", str(self.port), "-U", "postgres"]
        made._run("pg_basebackup", *primary, "--checkpoint=fast", "--write-recovery-conf")
        with (made.data / "postgresql.auto.conf").open("a") as file:
            file.write(
                f"primary_conninfo = 'host={self.place.address} port={self.port} user=postgres"
                " application_name=standby'\n"
            )
        made.start()
        self.configure("synchronous_standby_names", "standby" if is_synchronous else "")
        state = "sync" if is_synchronous else "async"
        wait_for(lambda: self.execute(REPLICATES.format(state)), START_SECONDS, f"the standby is {state}")
        return made

    def cut_off(self) -> None:
        """Let a standby receive nothing more."""
        self.configure("primary_conninfo", "")
        wait_for(lambda: not self.execute("SELECT FROM pg_stat_wal_receiver"), START_SECONDS, "it receives nothing")

    def configure(self, name: str, value: str) -> None:
        """Change a setting of the running server."""
        self.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        self.execute("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Make a standby the primary."""
        self._run("pg_ctl", "promote", "--wait")

    def kill(self) -> None:
        """Kill all its processes at once, as the end of its machine does."""
        first = psutil.Process(int((self.data / "postmaster.pid").read_text().split("\n")[0]))
        processes = [first, *first.children(recursive=True)]
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs(processes, 30)

    def remove(self) -> None:
        """Stop it, if it runs, and remove its files."""
        self._run("pg_ctl", "stop", "--mode=immediate", is_checked=False)
        shutil.rmtree(self.home.parent)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple]:
        """Run one statement as the superuser, outside a transaction."""
        connection = psycopg2.connect(host=self.place.address, port=self.port, user="postgres", dbname=database)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def _run(self, program: str, *words: str, is_checked: bool = True) -> None:
        done = subprocess.run(
            [*self._before(), str(self.programs / program), f"--pgdata={self.data}", *words],
            cwd="/",
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if program != "pg_ctl" else subprocess.DEVNULL,
            text=True,
            check=False,
            **({} if self.place.before else run_as(self.account)),
        )
        said = self.log.read_text() if program == "pg_ctl" and self.log.exists() else done.stdout
        assert not is_checked or done.returncode == 0, f"{program} failed:\n{said}"

    def _before(self) -> list[str]:
        """Return the words that run a program at its place; only root can go there, and changes the account then."""
        if not self.place.before or self.account is None:
            return [*self.place.before]
        account = [f"--reuid={self.account.uid}", f"--regid={self.account.gid}", "--clear-groups"]
        return [*self.place.before, "setpriv", *account]
