"""Labels of the import options and of a file's format."""

import codecs
from collections.abc import Mapping
from typing import Any

from product_importer.imports.parsing.file_format import Format
from product_importer.imports.schemas import ImportChoices

# Each option's values and their labels, the default first.
MODES = {"upsert": "Create new and update existing", "create": "Only create new", "update": "Only update existing"}
DUPLICATES = {"last": "Use the last row", "first": "Use the first row", "reject": "Reject all of them"}
BLANKS = {"clear": "Clear the value", "keep": "Keep the value"}
CONTINUATIONS = {
    "reject": "Reject them",
    "fill": "Make each a product",
    "skip": "Skip them",
}
SCIENTIFIC = {"reject": "Reject the row", "keep": "Keep it as it is"}
ENCODINGS = {
    "": "Detect automatically",
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "windows-1252": "Windows-1252 (Western Europe)",
    "windows-1250": "Windows-1250 (Central Europe)",
    "windows-1251": "Windows-1251 (Cyrillic)",
    "windows-1253": "Windows-1253 (Greek)",
    "windows-1254": "Windows-1254 (Turkish)",
    "windows-1255": "Windows-1255 (Hebrew)",
    "windows-1256": "Windows-1256 (Arabic)",
    "windows-1257": "Windows-1257 (Baltic)",
    "windows-1258": "Windows-1258 (Vietnamese)",
    "windows-874": "Windows-874 (Thai)",
    "iso-8859-1": "ISO 8859-1 (Western Europe)",
    "iso-8859-2": "ISO 8859-2 (Central Europe)",
    "iso-8859-5": "ISO 8859-5 (Cyrillic)",
    "iso-8859-7": "ISO 8859-7 (Greek)",
    "iso-8859-15": "ISO 8859-15 (Western Europe with €)",
    "koi8-r": "KOI8-R (Russian)",
    "koi8-u": "KOI8-U (Ukrainian)",
    "ibm866": "IBM 866 (Cyrillic, DOS)",
    "mac-roman": "Mac Roman",
    "shift_jis": "Shift JIS (Japanese)",
    "euc-jp": "EUC-JP (Japanese)",
    "gb18030": "GB 18030, GBK (Chinese)",
    "big5": "Big5 (traditional Chinese)",
    "euc-kr": "EUC-KR (Korean)",
}
# By names: a browser's list of options cannot hold a tab as a value.
DELIMITERS = {
    "": "Detect automatically",
    "comma": "Comma",
    "semicolon": "Semicolon",
    "tab": "Tab",
    "bar": "Vertical bar",
}
CHARACTERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
COLUMNS = {"remembered": "Use the saved mapping", "ask": "Ask me"}

# The short labels of options that differ from the default.
CHANGED_OPTIONS = {
    ("mode", "create"): "only new",
    ("mode", "update"): "only existing",
    ("duplicates", "first"): "first row used",
    ("duplicates", "reject"): "duplicates rejected",
    ("blank", "keep"): "blanks keep values",
    ("continuation", "fill"): "variants filled",
    ("continuation", "skip"): "variants skipped",
    ("scientific", "keep"): "scientific SKUs kept",
}
CONTAINERS = {
    "plain": "",
    "gzip": ", unpacked from gzip",
    "bzip2": ", unpacked from bzip2",
    "xz": ", unpacked from xz",
    "zstd": ", unpacked from zstd",
    "zip": ", found in a zip as",
    "tar": ", found in a tar as",
}
BOOKS = {
    "xlsx": "an Excel workbook",
    "xls": "an old Excel workbook (.xls)",
    "xlsb": "a binary Excel workbook (.xlsb)",
    "ods": "an OpenDocument workbook (.ods)",
}
# Kinds that have no encoding or delimiter to show.
KINDS = {"json": "JSON", "jsonl": "JSON Lines", "parquet": "Parquet"}
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def changed_options(chosen: Mapping[str, Any]) -> list[str]:
    """Return short labels of the options that differ from the default; `chosen` has the values by option."""
    return [label for (option, value), label in CHANGED_OPTIONS.items() if chosen.get(option) == value]


def header_line(line: str) -> str:
    """Return a short label of the line with the column names."""
    return "no header" if line == "0" else f"header in line {line}"


def all_options(choices: ImportChoices) -> list[tuple[str, str]]:
    """Return each option's name and the label of its value."""
    return [
        ("Products", MODES[choices.mode]),
        ("Repeated SKU", DUPLICATES[choices.duplicates]),
        ("Blank cells", BLANKS[choices.blank]),
        ("Variants and images", CONTINUATIONS[choices.continuation]),
        ("Scientific SKU", SCIENTIFIC[choices.scientific]),
    ]


def read_as(found: Format) -> str:
    """Describe the format in which a file was read."""
    part = f" “{found.part}”" if found.part else ""
    header = "" if found.header_line is None else f", {header_line(str(found.header_line))}"
    if found.kind in BOOKS:
        return f"Read as {BOOKS[found.kind]}{', its sheet' if part else ''}{part}{header}"
    if found.kind in KINDS:
        return f"Read as {KINDS[found.kind]}{CONTAINERS[found.container]}{part}"
    separator = SEPARATORS.get(found.delimiter, f"“{found.delimiter}”")
    return f"Read as {encoding(found.encoding)}, {separator}{CONTAINERS[found.container]}{part}{header}"


def encoding(name: str) -> str:
    """Return the label of an encoding, without its region."""
    labels = {_canonical(ours): label.partition(" (")[0] for ours, label in ENCODINGS.items() if ours}
    return labels.get(_canonical(name), name.upper())


def _canonical(name: str) -> str:
    try:
        return codecs.lookup(name).name.removesuffix("-sig")
    except LookupError:
        return name
