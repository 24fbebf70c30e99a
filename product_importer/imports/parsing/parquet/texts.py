"""Turn the columns of a Parquet file into text."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from product_importer.imports.parsing.exact_texts import MARKS, as_cell
from product_importer.imports.parsing.json.values import Number, compact

MAX_DEPTH = 32
# Whole numbers below it are written without an exponent.
MAX_PLAIN = 1e15
# The end of a fraction of a second.
NEEDLESS_ZEROS = r"\.?0+$"


def unsupported(kind: pa.DataType, depth: int = 0) -> str | None:
    """Return the name of a type that has no text, in this type or nested in it; None if all have one."""
    if pa.types.is_dictionary(kind):
        return unsupported(kind.value_type, depth)
    if pa.types.is_nested(kind):
        if depth == MAX_DEPTH:
            return f"nested more than {MAX_DEPTH} deep"
        inner = [kind.field(place).type for place in range(kind.num_fields)]
        return next(filter(None, (unsupported(one, depth + 1) for one in inner)), None)
    if depth and (pa.types.is_timestamp(kind) or pa.types.is_time(kind)) and kind.unit == "ns":
        return f"{kind} inside a list or a struct"
    return None if _converter(kind) or pa.types.is_null(kind) else str(kind)


def texts(column: pa.Array) -> pa.StringArray:
    """Return a column as text; nulls are empty."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        values = texts(column.dictionary)
        return pc.fill_null(values.take(column.indices), "")
    if pa.types.is_null(kind):
        return pa.array([""] * len(column), pa.string())
    if pa.types.is_nested(kind):
        return pa.array([_nested(value) for value in column.to_pylist()], pa.string())
    convert = _converter(kind)
    assert convert is not None
    return pc.fill_null(convert(column), "")


def lengths(column: pa.Array) -> pa.Array:
    """Return about how many bytes each cell has as text, without making the texts of dictionaries."""
    if pa.types.is_dictionary(column.type):
        return pc.fill_null(lengths(column.dictionary).take(column.indices), 0)
    if _is_string(column.type):
        return pc.fill_null(pc.cast(pc.binary_length(column), pa.int64()), 0)
    # Other values are short; what is nested is bounded by what it takes in memory.
    each = column.nbytes // max(1, len(column)) if pa.types.is_nested(column.type) else 8
    return pa.array([each] * len(column), pa.int64())


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _converter(kind: pa.DataType) -> Callable[[pa.Array], pa.Array] | None:
    types = pa.types
    if _is_string(kind):
        return _strings
    if types.is_boolean(kind):
        return lambda column: pc.if_else(column, "true", "false")
    if types.is_integer(kind) or types.is_date32(kind):
        return _cast
    if types.is_floating(kind):
        return _floats
    if types.is_decimal(kind):
        return lambda column: pa.array([_decimal(value) for value in column.to_pylist()], pa.string())
    if types.is_date64(kind):
        return lambda column: _cast(pc.cast(column, pa.date32()))
    if types.is_timestamp(kind):
        return _timestamps
    if types.is_time(kind):
        return lambda column: _without_zeros(_cast(column))
    return None


def _cast(column: pa.Array) -> pa.StringArray:
    return pc.cast(column, pa.string())


def _strings(column: pa.Array) -> pa.StringArray:
    found = _cast(column)
    if not any(pc.any(pc.starts_with(found, mark)).as_py() for mark in MARKS):
        return found
    return pa.array([value and as_cell(value) for value in found.to_pylist()], pa.string())


def _floats(column: pa.Array) -> pa.StringArray:
    """Return the shortest texts that stand for the numbers; NaN, which pandas has for a missing number, is null.

    Whole numbers of up to 15 digits, all of which a double holds, are written in digits: Arrow has an exponent for
    those from 10 digits on, such as an EAN. Smaller types have lost digits there, and the exponent shows it.
    """
    column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if column.type != pa.float64():
        return _cast(column)
    is_plain = pc.and_(pc.equal(column, pc.trunc(column)), pc.less(pc.abs(column), MAX_PLAIN))
    plain = pc.cast(pc.if_else(is_plain, column, None), pa.int64())
    return pc.coalesce(_cast(plain), _cast(column))


def _timestamps(column: pa.Array) -> pa.StringArray:
    naive = pc.cast(column, pa.timestamp(column.type.unit))
    found = pc.replace_substring(_cast(naive), " ", "T", max_replacements=1)
    found = _without_zeros(found)
    return pc.binary_join_element_wise(found, "Z", "") if column.type.tz else found


def _without_zeros(times: pa.StringArray) -> pa.StringArray:
    """Return times without the zeros at the end of a fraction of a second."""
    has_fraction = pc.match_substring(times, ".")
    return pc.if_else(has_fraction, pc.replace_substring_regex(times, NEEDLESS_ZEROS, ""), times)


def _decimal(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _nested(value: Any) -> str:
    return "" if value is None else compact(_plain(value))


def _plain(value: Any) -> Any:
    """Return a nested value in the types that `compact` writes."""
    if isinstance(value, dict):
        return {key: _plain(field) for key, field in value.items()}
    if isinstance(value, list):
        # The pairs of a map are tuples.
        if value and all(isinstance(item, tuple) and isinstance(item[0], str) for item in value):
            return {key: _plain(field) for key, field in value}
        return [_plain(item) for item in value]
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Decimal):
        return Number(format(value, "f"))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, float) and not re.fullmatch(r"-?[\d.e+-]+", repr(value)):
        return None
    return Number(repr(value).removesuffix(".0"))
