"""Find the cell styles of an .xlsx that change how a number is read: dates, durations, padding zeros."""

from collections.abc import Callable
from operator import itemgetter
from typing import NamedTuple, TypeVar
from xml.etree.ElementTree import Element

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format

from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing.records import Unreadable
from product_importer.imports.parsing.xlsx.xml_parts import ADVICE
from product_importer.imports.parsing.xlsx.zero_formats import ZeroFormat, parse_zero_format

# Excel's own limit. Telling whether a code is one of dates takes time by the square of its length.
MAX_FORMAT_CHARACTERS = 255

Found = TypeVar("Found")


class CellStyles(NamedTuple):
    """The numbers of the cell styles that show dates, and durations; and those that pad numbers with zeros."""

    dates: frozenset[int]
    durations: frozenset[int]
    zeros: dict[int, ZeroFormat]


NO_STYLES = CellStyles(frozenset(), frozenset(), {})


def read_styles(root: Element) -> CellStyles:
    """Return the cell styles of a part of styles.

    Raises:
        Unreadable: the code of a number format is too long.
    """
    codes = BUILTIN_FORMATS | dict(filter(itemgetter(1), map(_own_format, root.iterfind(".//{*}numFmt"))))
    styles = [codes.get(int(style.get("numFmtId", 0))) for style in root.iterfind("{*}cellXfs/{*}xf")]
    dates = _by_style(is_date_format, styles)
    durations = _by_style(is_timedelta_format, styles)
    return CellStyles(frozenset(dates), frozenset(durations) & frozenset(dates), _by_style(parse_zero_format, styles))


def _by_style(find: Callable[[str | None], Found | None], styles: list[str | None]) -> dict[int, Found]:
    """Return what is found in the codes of styles, by style; each code is checked once."""
    found = {code: value for code in set(styles) if (value := find(code))}
    return {style: found[code] for style, code in enumerate(styles) if code in found}


def _own_format(item: Element) -> tuple[int, str]:
    """Return the number and the code of a number format that the workbook defines.

    Raises:
        Unreadable: the code is too long.
    """
    code = item.get("formatCode", "")
    if len(code) > MAX_FORMAT_CHARACTERS:
        found = f"A number format in the workbook has {len(code):,} characters"
        raise Unreadable(
            ImportErrorCode.BAD_WORKBOOK, f"{found}; at most {MAX_FORMAT_CHARACTERS} are allowed. {ADVICE}"
        )
    return int(item.attrib["numFmtId"]), code
