"""Run one action of `test_limited_process` in a limited process; `ACT` names it."""

import contextlib
import json
import os
import re
import stat
import threading
from pathlib import Path
from typing import BinaryIO

from product_importer.imports.parsing import limited_process


def report(stream: BinaryIO) -> bytes:
    """Return the file, the environment and the open sockets of this process."""
    sockets = []
    for descriptor in range(256):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                sockets.append(descriptor)
    found = {
        "content": stream.read().decode(),
        "environment": dict(os.environ),
        "sockets": sockets,
        "pid": os.getpid(),
    }
    return json.dumps(found).encode()


def wait(_: BinaryIO) -> bytes:
    threading.Event().wait()
    return b""


def hold_the_interpreter(_: BinaryIO) -> bytes:
    """Make one very long call into C, during which no Python code runs."""
    re.search("(a|a)*b", "a" * 60)
    return b""


def fill_the_memory(_: BinaryIO) -> bytes:
    return bytes(64 * 1024**3)[:1]


def fail(_: BinaryIO) -> bytes:
    raise ValueError("as requested")


def act(task: limited_process.Task) -> bytes:
    if place := os.environ.get("PID_FILE"):
        partial = Path(f"{place}.part")
        partial.write_text(str(os.getpid()))
        partial.rename(place)
    return ACTS[os.environ["ACT"]](task.stream)


ACTS = {act.__name__: act for act in (report, wait, hold_the_interpreter, fill_the_memory, fail)}

if __name__ == "__main__":
    limited_process.DEADLINE_SECONDS = int(os.environ.get("SECONDS", limited_process.DEADLINE_SECONDS))
    limited_process.serve(act)
