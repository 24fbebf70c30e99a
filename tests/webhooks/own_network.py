"""Run tests in a network namespace in which this machine has public addresses and uses our name server.

`unshare` creates a network and mounts that only this process and its children see. Nothing that is sent there leaves
this machine, whatever the address.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

# A public address, and private ones. In the namespace all of them belong to this machine.
PUBLIC = "93.184.215.14"
INSIDE = ("10.0.0.7", "169.254.169.254")

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "/etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:3 attempts:2\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
# From <linux/sockios.h> and <linux/if.h>.
SET_FLAGS, SET_ADDRESS, SET_NETMASK = 0x8914, 0x8916, 0x891C
UP = 0x1


def unshare() -> list[str]:
    """Return the words before a command that run it in its own network, as root or not."""
    own = ["unshare", "--mount", "--net"]
    return own if os.geteuid() == 0 else [*own, "--user", "--map-current-user", "--keep-caps"]


def why_not() -> str | None:
    """Return why a separate network is not possible, or None if it is."""
    try:
        tried = subprocess.run([*unshare(), "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "there is no unshare(1) here"
    return tried.stderr.strip() if tried.returncode else None


def run(tests: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a file of tests in a network of its own."""
    command = [sys.executable, "-m", __name__, str(network()), "-q", str(tests)]
    # Servers in the outer network cannot be reached from the inner one.
    environment = {
        name: value for name, value in os.environ.items() if not name.endswith(("DATABASE_URL", "REDIS_URL"))
    }
    return subprocess.run(
        [*unshare(), *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )


def network() -> int:
    """Return the id of this process's network namespace."""
    return Path("/proc/self/ns/net").stat().st_ino


def set_up() -> None:
    """Set the addresses of the loopback device, and the files of the resolver."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SET_FLAGS, struct.pack("16sh22x", b"lo", UP))
        for number, address in enumerate((PUBLIC, *INSIDE)):
            device = f"lo:{number}".encode()
            fcntl.ioctl(control, SET_ADDRESS, interface(device, address))
            fcntl.ioctl(control, SET_NETMASK, interface(device, "255.255.255.255"))
    for name, content in FILES.items():
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(content)
            file.flush()
            Path(file.name).chmod(0o644)
            subprocess.run(["mount", "--bind", file.name, name], check=True)


def interface(device: bytes, address: str) -> bytes:
    return struct.pack("16sHH4s16x", device, socket.AF_INET, 0, socket.inet_aton(address))


def main(outside: str, *words: str) -> None:
    assert network() != int(outside), "this is still the outer network"
    set_up()
    os.execv(sys.executable, [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words])


if __name__ == "__main__":
    main(*sys.argv[1:])
