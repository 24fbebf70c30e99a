"""Spool the rows of one import in a file, as runs sorted by key; rows of equal keys stay in order.

The file has no name, so that the kernel removes it however the process ends. It is read with `pread`: what is mapped
counts as memory.
"""

import errno
import os
import shutil
import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import BinaryIO, Self

import pyarrow as pa
import pyarrow.compute as pc

from product_importer.core.settings import settings
from product_importer.imports.error_codes import ImportErrorCode

# A run is written when it has so many rows, or bytes.
RUN_ROWS = 65_536
RUN_BYTES = 16 * 1024 * 1024
# A range takes a few hundred rows of each run: larger batches would be read for little.
BATCH_ROWS = 512
SAMPLE_EVERY = 64
# The sorted columns of a plain text file take up to this times its size.
SHARE_OF_FILE = 1.25

# Opens a file without a name that can get one, unlike Python's temporary files: workers share it without a copy.
NAMED_LATER = getattr(os, "O_TMPFILE", 0)
# The folder belongs to somebody else, its disk is read-only, or a file is in its place.
UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.ENOENT, errno.ELOOP)


class SpoolError(Exception):
    """An import cannot be spooled; the message says where and what to do."""

    code: ImportErrorCode


class SpoolUnwritable(SpoolError):
    """Nothing can be written to `SPOOL_DIR`."""

    code = ImportErrorCode.SPOOL_UNWRITABLE

    def __init__(self, error: OSError):
        super().__init__(
            f"The sorted rows of this file cannot be written to {settings().spools}: {error.strerror}. "
            "Change the folder's owner, or set SPOOL_DIR to another folder, and retry the import."
        )


class SpoolFull(SpoolError):
    """There is no room for the spool."""

    code = ImportErrorCode.SPOOL_FULL

    def __init__(self, folder: Path, wanted: int | None = None):
        size = f"about {wanted / 1e6:,.0f} MB" if wanted else "more room"
        super().__init__(
            f"There is not enough room in {folder} for the sorted rows of this file: it needs {size}. "
            "Free some, or set SPOOL_DIR to a larger disk, and retry the import."
        )


@dataclass(frozen=True)
class Run:
    """A sorted run in the file: the first key of each batch, and where batches begin, with the end of the last."""

    firsts: list[str]
    offsets: list[int]


@dataclass(frozen=True)
class Sample:
    """Every `SAMPLE_EVERY`th key of the runs; each stands for so many rows and `bytes_per_row`."""

    keys: pa.StringArray
    rows: int
    bytes_per_row: float


class Spool:
    """The runs of one import, in a file of its own unless one is given.

    One thread may add runs; any thread may read them afterwards.
    """

    def __init__(self, schema: pa.Schema, file: BinaryIO | None = None):
        self.schema = schema
        self.file = file or _new_file()
        self.runs: list[Run] = []
        self._samples: list[pa.StringArray] = []
        self._end = 0
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the spool's own one is removed."""
        self.file.close()

    def add(self, rows: pa.Table) -> None:
        """Sort rows by key and write them as one run, if there are any.

        Raises:
            SpoolFull: the disk is full.
        """
        if not rows.num_rows:
            return
        rows = sort(rows)
        keys = rows["key"].chunk(0)
        batches = rows.to_batches(max_chunksize=BATCH_ROWS)
        texts = [batch.serialize() for batch in batches]
        offsets = list(accumulate((text.size for text in texts), initial=self._end))
        for text in texts:
            self.write(text)
        self.runs.append(Run([batch["key"][0].as_py() for batch in batches], offsets))
        self._samples.append(keys.take(pa.array(range(0, len(keys), SAMPLE_EVERY), pa.int64())))
        self._end = offsets[-1]
        self.rows += rows.num_rows

    def write(self, content: pa.Buffer | bytes) -> None:
        """Append to the file.

        Raises:
            SpoolFull: the disk is full.
        """
        with refusing_full_disk():
            _write(self.file.fileno(), content)

    def restore(self, runs: list[Run], rows: int) -> None:
        """Take what is in the file for runs that were added by another process."""
        self.runs, self.rows = runs, rows

    def blocks(self, size: int) -> Iterator[bytes]:
        """Yield what was written to the file, in blocks."""
        end = os.fstat(self.file.fileno()).st_size
        for place in range(0, end, size):
            yield _read(self.file.fileno(), min(size, end - place), place)

    def sample(self) -> Sample:
        """Return a sample of the keys of all runs, sorted."""
        keys = pa.concat_arrays(self._samples)
        return Sample(keys.take(pc.array_sort_indices(keys)), self.rows, self._end / max(1, self.rows))

    def between(self, after: str, last: str | None) -> pa.Table:
        """Return the rows whose keys are greater than `after` and at most `last`, sorted; `last` None is the end."""
        batches = [batch for run in self.runs for batch in self._read(run, after, last)]
        rows = pa.Table.from_batches(batches, schema=self.schema)
        wanted = pc.greater(rows["key"], after)
        if last is not None:
            wanted = pc.and_(wanted, pc.less_equal(rows["key"], last))
        return sort(rows.filter(wanted))

    def _read(self, run: Run, after: str, last: str | None) -> Iterator[pa.RecordBatch]:
        """Yield the batches of a run that may have keys in a range; one read for all of them."""
        first = max(0, bisect_left(run.firsts, after) - 1)
        end = len(run.firsts) if last is None else bisect_right(run.firsts, last)
        if first >= end:
            return
        begin, length = run.offsets[first], run.offsets[end] - run.offsets[first]
        content = pa.py_buffer(_read(self.file.fileno(), length, begin))
        for at, behind in pairwise(run.offsets[first : end + 1]):
            yield pa.ipc.read_record_batch(content.slice(at - begin, behind - at), self.schema)


@contextmanager
def refusing_full_disk() -> Iterator[None]:
    """Turn the error of a full disk, of a quota, or of a limit on the size of files into `SpoolFull`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise SpoolFull(settings().spools) from error


def folder() -> Path:
    """Return the folder of spools, made private if it does not exist.

    Raises:
        SpoolUnwritable: it cannot be made.
    """
    place = settings().spools
    with _refusing_unwritable():
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def _new_file() -> BinaryIO:
    with refusing_full_disk(), _refusing_unwritable():
        try:
            return os.fdopen(os.open(folder(), os.O_RDWR | NAMED_LATER, 0o600), "r+b", buffering=0)
        except OSError:
            # Not every filesystem has such files. What else is wrong, this meets, too.
            return tempfile.TemporaryFile(dir=folder(), buffering=0)


@contextmanager
def _refusing_unwritable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        raise SpoolUnwritable(error) from error


def check_room(file_bytes: int) -> None:
    """Check that there is room for the rows of a plain text file of so many bytes.

    Raises:
        SpoolFull: there is not.
        SpoolUnwritable: the folder cannot be made.
    """
    wanted = int(file_bytes * SHARE_OF_FILE)
    if shutil.disk_usage(folder()).free < wanted:
        raise SpoolFull(folder(), wanted)


def sort(rows: pa.Table) -> pa.Table:
    """Return rows sorted by key, in one chunk, as PostgreSQL's collation "C" sorts; equal keys stay in order."""
    rows = rows.combine_chunks()
    if rows.num_rows == 0:
        return rows
    return rows.take(pc.array_sort_indices(rows["key"].chunk(0))).combine_chunks()


def _write(descriptor: int, text: pa.Buffer | bytes) -> None:
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _read(descriptor: int, length: int, offset: int) -> bytes:
    pieces = []
    while length:
        piece = os.pread(descriptor, length, offset)
        if not piece:
            raise OSError(errno.EIO, "The spool is shorter than what was written to it.")
        pieces.append(piece)
        length, offset = length - len(piece), offset + len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
