"""A small DNS server: it returns the answers of a test, with a time to live of 0, and counts queries."""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address

A, CNAME, AAAA = 1, 5, 28
IN = 1
# DNS flags of an authoritative answer: no error, and NXDOMAIN.
NO_ERROR, NXDOMAIN = 0x8580, 0x8583
# A pointer to the name in the question.
QUESTION_NAME = b"\xc0\x0c"


class NameServer:
    """Answers on UDP port 53 of this machine.

    `names` holds for each name its answers to the first query, the second and so on; the last is repeated. An answer
    is a list of IPv4 and IPv6 addresses, `=name` for an alias, or None for no reply.
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
        # This wakes the thread, although it fails: the socket is not connected.
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
            return query[:2] + struct.pack("!5H", NXDOMAIN, 1, 0, 0, 0) + question
        answers = self._names[name]
        answer = answers[min(self._times[name, kind], len(answers) - 1)]
        self._times[name, kind] += 1
        if answer is None:
            return None
        records = [record for value in answer for record in self._records(value, kind)]
        return query[:2] + struct.pack("!5H", NO_ERROR, 1, len(records), 0, 0) + question + b"".join(records)

    def _records(self, value: str, kind: int) -> list[bytes]:
        if not value.startswith("="):
            return addresses(QUESTION_NAME, value, kind)
        target = value.removeprefix("=")
        known = [
            record for one in self._names[target][0] or () for record in addresses(encode_name(target), one, kind)
        ]
        return [record(QUESTION_NAME, CNAME, encode_name(target)), *known]


def addresses(name: bytes, value: str, kind: int) -> list[bytes]:
    address = ip_address(value)
    return [record(name, kind, address.packed)] if kind == (A if address.version == 4 else AAAA) else []


def record(name: bytes, kind: int, content: bytes) -> bytes:
    """Return a DNS record with a time to live of 0."""
    return name + struct.pack("!HHIH", kind, IN, 0, len(content)) + content


def encode_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def read_name(query: bytes) -> tuple[str, int]:
    """Return the name in a query, and the offset after it."""
    labels, place = [], 12
    while length := query[place]:
        labels.append(query[place + 1 : place + 1 + length].decode("ascii").lower())
        place += 1 + length
    return ".".join(labels), place + 1
