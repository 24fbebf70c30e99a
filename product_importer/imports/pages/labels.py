"""What can be chosen for an import, and how its file was read, in words for people."""

import codecs

from product_importer.imports.parsing.file_format import Format
from product_importer.imports.schemas import ImportChoices

# Each choice: what it is called in the code, and what people read; the first one is the usual.
MODES = {"upsert": "Create new and update known", "create": "Only create new", "update": "Only update known"}
DUPLICATES = {"last": "The last row counts", "first": "The first row counts", "reject": "Reject all of them"}
BLANKS = {"clear": "Clear the value", "keep": "Keep the value"}
ENCODINGS = {
    "": "Detect automatically",
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "windows-1252": "Windows-1252 (Western Europe)",
    "windows-1250": "Windows-1250 (Central Europe)",
    "windows-1251": "Windows-1251 (Cyrillic)",
    "iso-8859-1": "ISO 8859-1 (Western Europe)",
    "iso-8859-2": "ISO 8859-2 (Central Europe)",
    "iso-8859-15": "ISO 8859-15 (Western Europe with €)",
    "mac-roman": "Mac Roman",
    "shift_jis": "Shift JIS (Japanese)",
    "euc-jp": "EUC-JP (Japanese)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (traditional Chinese)",
    "euc-kr": "EUC-KR (Korean)",
}
# A tab is no value that a list of choices could hold.
DELIMITERS = {
    "": "Detect automatically",
    "comma": "Comma",
    "semicolon": "Semicolon",
    "tab": "Tab",
    "bar": "Vertical bar",
}
COLUMNS = {"remembered": "As accepted the last time", "ask": "Ask me"}
CHARACTERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}

# What a history's line says of choices that are not the usual ones.
UNUSUAL = {
    "create": "only new",
    "update": "only known",
    "first": "first row counts",
    "reject": "duplicates rejected",
    "keep": "blanks keep",
}
CONTAINERS = {"plain": "", "gzip": ", unpacked from gzip", "zip": ", found in a zip as"}
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def unusual(mode: str, duplicates: str, blank: str) -> list[str]:
    """Return the choices that are not the usual ones, each in two or three words."""
    return [UNUSUAL[choice] for choice in (mode, duplicates, blank) if choice in UNUSUAL]


def chosen(choices: ImportChoices) -> list[tuple[str, str]]:
    """Return what was chosen, each with its name."""
    return [
        ("Products", MODES[choices.mode]),
        ("Same SKU twice", DUPLICATES[choices.duplicates]),
        ("Blank cells", BLANKS[choices.blank]),
    ]


def read_as(found: Format) -> str:
    """Say how a file's bytes became text."""
    part = f" “{found.part}”" if found.part else ""
    if found.container == "xlsx":
        return f"Read as an Excel workbook{', its sheet' if part else ''}{part}"
    separator = SEPARATORS.get(found.delimiter, f"“{found.delimiter}”")
    return f"Read as {encoding(found.encoding)}, {separator}{CONTAINERS[found.container]}{part}"


def encoding(name: str) -> str:
    """Return what people call an encoding, without where it is used."""
    named = {_canonical(ours): words.partition(" (")[0] for ours, words in ENCODINGS.items() if ours}
    return named.get(_canonical(name), name.upper())


def listed(words: list[str]) -> str:
    """Return words as a sentence lists them."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _canonical(name: str) -> str:
    try:
        return codecs.lookup(name).name.removesuffix("-sig")
    except LookupError:
        return name
