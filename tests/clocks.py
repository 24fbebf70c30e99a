"""Processes whose clock is wrong, as that of a machine may be."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.docs.documents import ROOT

HOUR = 3600.0
WRONG = """
import sys, time
right = time.time
time.time = lambda: right() + float(sys.argv[1])
"""


@contextmanager
def process(seconds: float, program: str) -> Iterator[subprocess.Popen[str]]:
    """Run a Python program whose clock is so many seconds ahead; it is killed at the end of the block."""
    command = [sys.executable, "-c", WRONG + program, str(seconds)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stdin=pipe, stdout=pipe, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def answer(started: subprocess.Popen[str]) -> str:
    """Send a process an empty line, and return the line that it answers."""
    assert started.stdin is not None and started.stdout is not None
    print(file=started.stdin, flush=True)
    return started.stdout.readline().strip()
