"""Check that the web process can listen on its port."""

import errno
import socket

MAX_PORT = 65535
MAX_SUGGESTIONS = 20


class PortError(Exception):
    """The address cannot be listened on. The message is one line with the reason and what to do."""


def require_free_port(host: str, port: int) -> None:
    """Check that a server can listen on the address.

    Raises:
        PortError: another program listens there, only root may, or `host` is not an address of this machine.
    """
    try:
        _listen(host, port)
    except socket.gaierror:
        raise PortError(f"HOST={host} is not an address: set HOST=127.0.0.1") from None
    except OSError as error:
        raise PortError(_explain(error, host, port)) from None


def _listen(host: str, port: int) -> None:
    """Listen for a moment as a server would: this works beside connections in TIME_WAIT, but not beside a server."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken by another program: stop it or set PORT={_suggest(host, port)}"
    if error.errno == errno.EACCES:
        return f"port {port} is reserved for root: set PORT={_suggest(host, 2999)}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"HOST={host} is not an address of this machine: set HOST=127.0.0.1 or HOST=0.0.0.0"
    return f"cannot listen on {host}:{port}: {error.strerror}"


def _suggest(host: str, port: int) -> int:
    for candidate in range(port + 1, min(port + MAX_SUGGESTIONS, MAX_PORT) + 1):
        try:
            _listen(host, candidate)
        except OSError:
            continue
        return candidate
    return 3000 if port != 3000 else 8000
