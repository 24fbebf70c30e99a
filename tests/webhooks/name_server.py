"""A name server of a few lines: it says what a test wants, counts what it is asked, and no answer is kept."""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address

A, CNAME, AAAA = 1, 5, 28
IN = 1
# A good answer by the one who must know; the name, which is not there.
GOOD, UNKNOWN = 0x8580, 0x8583
# The question's name, where it stands in every message.
THE_NAME = b"\xc0\x0c"


class NameServer:
    """Answers on UDP port 53 of this machine.

    `names` gives each name what it answers the first time, the second time, and so on, the last for ever: addresses
    of both kinds, `=name` for an alias, and None for silence.
    """

    def __init__(self, names: Mapping[str, Sequence[Sequence[str] | None]]):
        self.asked: Counter[str] = Counter()
        self._names = names
        self._times: Counter[tuple[str, int]] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        # It wakes the thread, although a socket like this is never connected.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, asker = self._socket.recvfrom(512)
            if not query:
                return
            answer = self._answer(query)
            if answer is not None:
                self._socket.sendto(answer, asker)

    def _answer(self, query: bytes) -> bytes | None:
        name, end = read_name(query)
        (kind,) = struct.unpack_from("!H", query, end)
        question = query[12 : end + 4]
        if kind == A:
            self.asked[name] += 1
        if name not in self._names:
            return query[:2] + struct.pack("!5H", UNKNOWN, 1, 0, 0, 0) + question
        answers = self._names[name]
        told = answers[min(self._times[name, kind], len(answers) - 1)]
        self._times[name, kind] += 1
        if told is None:
            return None
        records = [record for one in told for record in self._records(one, kind)]
        return query[:2] + struct.pack("!5H", GOOD, 1, len(records), 0, 0) + question + b"".join(records)

    def _records(self, told: str, kind: int) -> list[bytes]:
        if not told.startswith("="):
            return addresses(THE_NAME, told, kind)
        target = told.removeprefix("=")
        known = [record for one in self._names[target][0] or () for record in addresses(written(target), one, kind)]
        return [record(THE_NAME, CNAME, written(target)), *known]


def addresses(name: bytes, told: str, kind: int) -> list[bytes]:
    address = ip_address(told)
    return [record(name, kind, address.packed)] if kind == (A if address.version == 4 else AAAA) else []


def record(name: bytes, kind: int, content: bytes) -> bytes:
    """Return a record whose time to live is over when it arrives."""
    return name + struct.pack("!HHIH", kind, IN, 0, len(content)) + content


def written(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def read_name(query: bytes) -> tuple[str, int]:
    """Return the name that is asked for, and where it ends."""
    labels, place = [], 12
    while length := query[place]:
        labels.append(query[place + 1 : place + 1 + length].decode("ascii").lower())
        place += 1 + length
    return ".".join(labels), place + 1
