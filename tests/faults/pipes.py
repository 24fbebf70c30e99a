"""Let an import read a part of its file and wait for the rest, so that a test breaks something meanwhile."""

import os
import threading
from contextlib import suppress
from pathlib import Path

# A worker asks for a megabyte at a time, and shows no row before it has it.
LEAST_BYTES = 1_200_000
JOIN_SECONDS = 60


class HeldUpload:
    """A stored upload that is a pipe until it is released: who opens it gets its first `share`, and then waits.

    Only one process may open the pipe. After `release` it gets the rest, and others open the file itself.
    """

    def __init__(self, path: Path, share: float):
        self._path = path
        # Beside the folder of uploads, where nothing looks for files without an import.
        self._aside = path.parent.parent / f"{path.name}.held"
        content = path.read_bytes()
        place = max(LEAST_BYTES, int(share * len(content)))
        assert place < len(content), f"a file of {len(content):,} bytes is too small to be held"
        self._parts = (content[:place], content[place:])
        path.rename(self._aside)
        os.mkfifo(path, 0o600)
        self._released = threading.Event()
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def release(self) -> None:
        """Put the file back in its place, and let the process that reads the pipe read on."""
        if not self._released.is_set():
            self._aside.replace(self._path)
            self._released.set()

    def close(self) -> None:
        """Release the file, and wait until the pipe has no reader any more."""
        self.release()
        self._writer.join(JOIN_SECONDS)
        assert not self._writer.is_alive(), "a process still reads the pipe"

    def _write(self) -> None:
        # The reader may have been killed.
        with suppress(BrokenPipeError), self._path.open("wb", buffering=0) as pipe:
            self._send(pipe.fileno(), self._parts[0])
            self._released.wait()
            self._send(pipe.fileno(), self._parts[1])

    def _send(self, pipe: int, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(pipe, rest) :]
