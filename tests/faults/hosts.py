"""Hosts of their own on this machine: network namespaces on one bridge, each with a cable that can be pulled.

Everything is made in the network of the calling process, which must be its own, and ends with that.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from product_importer.core.embedded import valkey
from product_importer.core.embedded.supervisor import _end_with_parent
from tests.application import Application
from tests.clusters import Place
from tests.waiting import wait_for
from tests.webhooks import own_network

BRIDGE, ADDRESSES, OWN = "bridge0", "10.77.0.", "10.77.0.1/24"
NETWORK = "10.77.0.0/24"
# What this needs beside a network of its own.
TRIES = (
    "ip link add tried type bridge && ip link add tried0 type veth peer name tried1"
    " && unshare --net true && setpriv --version"
)
REDIS_PORT = 6379
START_SECONDS = 30
# With the process that made it, however that ends.
ENDS = _end_with_parent(signal.SIGKILL)
# Restarts the worker when it ends, as a service manager does.
KEPT_WORKER = """
import sys
from product_importer.commands.process_manager import Command, supervise
sys.exit(supervise([Command("worker", (sys.executable, "-m", "product_importer", "worker"))]))
"""


def why_not() -> str | None:
    """Return why hosts cannot be made here, or None if they can."""
    reason = own_network.why_not()
    if reason:
        return reason
    tried = subprocess.run([*own_network.unshare(), "sh", "-c", TRIES], capture_output=True, text=True, check=False)
    return (tried.stderr.strip() or "ip(8) or setpriv(1) does not work") if tried.returncode else None


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def lay_cables() -> None:
    """Make the bridge, with an address of the calling process."""
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "address", "add", OWN, "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")


class Host:
    """A host with an address; what is started with `place.before` runs there."""

    def __init__(self, number: int):
        self._cable = f"host{number}"
        # Keeps the network namespace, which has no name.
        self._keeper = subprocess.Popen(["unshare", "--net", "sleep", "infinity"], preexec_fn=ENDS)
        wait_for(self._is_apart, START_SECONDS, "the host has a network of its own")
        before = ("nsenter", f"--net=/proc/{self._keeper.pid}/ns/net")
        self.place = Place(f"{ADDRESSES}{number}", NETWORK, before)
        self._plug_in()

    @property
    def address(self) -> str:
        return self.place.address

    def cut_off(self) -> None:
        """Pull the cable: nothing gets out or in, and nobody is told."""
        run("ip", "link", "set", self._cable, "down")

    def join(self) -> None:
        """Plug the cable in again."""
        run("ip", "link", "set", self._cable, "up")

    @contextmanager
    def gone(self, seconds: float) -> Iterator[None]:
        """Be cut off for at least so long."""
        until = time.monotonic() + seconds
        self.cut_off()
        try:
            yield
            time.sleep(max(0.0, until - time.monotonic()))
        finally:
            self.join()

    def close(self) -> None:
        self._keeper.kill()
        self._keeper.wait()

    def _is_apart(self) -> bool:
        mine = subprocess.run(["readlink", "/proc/self/ns/net"], capture_output=True, check=True).stdout
        its = subprocess.run(
            ["readlink", f"/proc/{self._keeper.pid}/ns/net"], capture_output=True, check=False
        ).stdout
        return bool(its) and its != mine

    def _plug_in(self) -> None:
        run("ip", "link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", str(self._keeper.pid))
        run("ip", "link", "set", self._cable, "master", BRIDGE, "up")
        for words in (["address", "add", f"{self.address}/24", "dev", "eth0"], ["link", "set", "eth0", "up"]):
            run(*self.place.before, "ip", *words)
        run(*self.place.before, "ip", "link", "set", "lo", "up")


class Redis:
    """A Valkey on a host; what it holds is lost with it."""

    def __init__(self, host: Host):
        options = {"bind": host.address, "port": str(REDIS_PORT), "protected-mode": "no", "save": ""}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [*host.place.before, str(valkey._binary()), *words], stdout=subprocess.DEVNULL, cwd="/", preexec_fn=ENDS
        )
        self.url = f"redis://{host.address}:{REDIS_PORT}/0"

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class HostedApplication(Application):
    """Processes of the application on a host, with a folder of their own."""

    def __init__(self, host: Host, **environment: str):
        self.host = host
        self.address = host.address
        # Nobody else is in this network.
        free = {"HOST": host.address, "AUTH": "off", "I_KNOW_ANYONE_CAN_CHANGE_EVERYTHING": "true"}
        super().__init__(host.place.before, **free, **environment)

    def start_worker(self) -> None:
        """Start an import worker, which is restarted when it ends."""
        self.process = self.launch("-c", KEPT_WORKER)


def build_page() -> None:
    """Build the page, which needs the network that hosts do not have."""
    build = "from product_importer.web.server import build; build()"
    subprocess.run([sys.executable, "-c", build], check=True, stdout=subprocess.DEVNULL)
