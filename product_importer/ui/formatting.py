"""Format numbers, durations, sizes and field errors for people."""

from collections.abc import Mapping
from typing import Any

DASH = "—"
EMPTY = "empty"
REQUIRED = "This is required."
UNITS = ("bytes", "kB", "MB", "GB", "TB")


def number(value: int | None) -> str:
    """Return a number with thousands separators; a dash for None."""
    return DASH if value is None else f"{value:,}"


def duration(seconds: float) -> str:
    """Return seconds as "5 s", "2 min 05 s" or "1 h 30 min"."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def size(count: float) -> str:
    """Return a number of bytes in the largest unit of which there is at least one, such as "1.5 MB"."""
    unit = 0
    while count >= 1000 and unit < len(UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:,.0f} {UNITS[unit]}" if unit == 0 else f"{count:,.1f} {UNITS[unit]}"


def field_error(item: Mapping[str, Any]) -> str:
    """Return one of pydantic's errors as a sentence to show beside the field."""
    match item["type"]:
        case "string_too_short":
            return REQUIRED
        case "string_too_long":
            return f"At most {item['ctx']['max_length']:,} characters are allowed; this has {len(item['input']):,}."
        case _:
            return f"{str(item['msg']).removeprefix('Value error, ').rstrip('.')}."
