"""Make the ids of an import's products and events as an Arrow column, without an object for each."""

import sys
from array import array
from collections.abc import Iterable
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

DIGITS = 8


def numbered(job_id: UUID, numbers: Iterable[int]) -> pa.StringArray:
    """Return the ids of an import's parts with these numbers (see `core.ids.id_prefix`), as texts."""
    octets = array("I", numbers)
    if sys.byteorder == "little":
        octets.byteswap()
    digits = pa.py_buffer(octets.tobytes().hex().encode())
    parts = pa.FixedSizeBinaryArray.from_buffers(pa.binary(DIGITS), len(octets), [None, digits])
    return pc.binary_join_element_wise(str(job_id)[:-DIGITS], parts.cast(pa.string()), "")
