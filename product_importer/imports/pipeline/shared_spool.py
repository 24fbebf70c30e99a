"""Store the sorted rows of an import where every worker can read them, and read them there.

They lie beside the uploads: the runs as they are in the spool, behind them their index as JSON, and its length. Where
the spool's disk has the uploads too, its file gets a name there; else it is copied.
"""

import base64
import json
import logging
import threading
from contextlib import suppress
from typing import Any, BinaryIO
from uuid import UUID

import pyarrow as pa
from obstore.exceptions import BaseError

from product_importer.core import storage
from product_importer.imports.pipeline.spool import Run, Spool
from product_importer.imports.stored_files import spool_key

log = logging.getLogger(__name__)

BLOCK_BYTES = 4 * 1024 * 1024
LENGTH_BYTES = 8
# What a folder or an object store raises when it is away or full.
STORAGE_ERRORS = (OSError, BaseError, storage.StorageError)


class SpoolMismatch(Exception):
    """The stored rows are not those of this version's columns, or not whole."""


# Why stored rows cannot be had, besides a lack of room on this side.
UNAVAILABLE = (storage.ObjectNotFound, SpoolMismatch, *STORAGE_ERRORS)


def store(spool: Spool, spool_id: UUID, over: threading.Event) -> bool:
    """Store a spool to which nothing is added any more; stop and return False when it is not needed any more.

    Raises:
        SpoolError: there is no room for the index.
        OSError, BaseError, StorageError: the storage is away or full; nothing is left in it.
    """
    index = _index(spool)
    spool.write(index + len(index).to_bytes(LENGTH_BYTES))
    key = spool_key(spool_id)
    return not over.is_set() and (storage.storage().adopt(key, spool.file) or _copy_out(spool, key, over))


def _copy_out(spool: Spool, key: str, over: threading.Event) -> bool:
    writer = storage.storage().writer(key)
    try:
        for block in spool.blocks(BLOCK_BYTES):
            if over.is_set():
                writer.abort()
                return False
            writer.write(block)
        writer.commit()
        return True
    except BaseException:
        with suppress(*STORAGE_ERRORS):
            writer.abort()
        raise


def fetch(spool_id: UUID, schema: pa.Schema) -> Spool:
    """Return a spool with the stored rows: those in a folder are read in place, those in an object store are copied.

    A range takes a little of each run: an object store would be asked as often.

    Raises:
        ObjectNotFound: they are not stored any more.
        SpoolMismatch: another version has stored them.
        SpoolError: there is no room for them.
        OSError, BaseError, StorageError: the storage is away.
    """
    key = spool_key(spool_id)
    in_place = storage.storage().file(key)
    spool = Spool(schema, in_place)
    try:
        if in_place is None:
            _copy_in(key, spool)
        spool.restore(*_read_index(spool.file, schema))
    except BaseException:
        spool.close()
        raise
    return spool


def _copy_in(key: str, spool: Spool) -> None:
    with storage.opened(key) as stored:
        while block := stored.read(BLOCK_BYTES):
            spool.write(block)


def delete(spool_id: UUID) -> None:
    """Delete stored rows. If the storage is away, they are deleted as an orphaned upload is, hours later."""
    try:
        storage.storage().delete(spool_key(spool_id))
    except STORAGE_ERRORS as error:
        log.warning("the shared rows of an import will be deleted later: %s", error)


def _index(spool: Spool) -> bytes:
    runs = [{"firsts": run.firsts, "offsets": run.offsets} for run in spool.runs]
    schema = base64.b64encode(spool.schema.serialize()).decode()
    return json.dumps({"schema": schema, "rows": spool.rows, "runs": runs}).encode()


def _read_index(file: BinaryIO, schema: pa.Schema) -> tuple[list[Run], int]:
    size = file.seek(0, 2)
    length = int.from_bytes(_bytes_at(file, max(0, size - LENGTH_BYTES), LENGTH_BYTES))
    begin = size - LENGTH_BYTES - length
    if begin < 0:
        raise SpoolMismatch("The shared rows are not whole.")
    index: dict[str, Any] = json.loads(_bytes_at(file, begin, length))
    if not pa.ipc.read_schema(pa.py_buffer(base64.b64decode(index["schema"]))).equals(schema):
        raise SpoolMismatch("The shared rows have other columns.")
    return [Run(run["firsts"], run["offsets"]) for run in index["runs"]], index["rows"]


def _bytes_at(file: BinaryIO, place: int, length: int) -> bytes:
    """Read bytes of a file that is not buffered."""
    file.seek(place)
    pieces = []
    while length and (piece := file.read(length)):
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
