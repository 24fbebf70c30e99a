"""Recognise documents that hold no table of ours, so that the error can name them and say what to do."""

import re
from collections.abc import Sequence

from product_importer.core.edges import trim
from product_importer.imports.parsing.records import not_csv

SAVE_AS = "save it as .xlsx or as “CSV UTF-8” and upload that."
EXPORT = "Export the catalogue itself as CSV or as .xlsx from the program that holds it."
WEB_PAGE = (
    "a web page (HTML), whatever its name ends in. If it shows the catalogue, open it in a spreadsheet program and "
    f"{SAVE_AS} If it was downloaded, the address may have answered with a page to sign in or with an error."
)
WEB_ARCHIVE = f"a web page saved with its pictures (MHTML). Open it in a spreadsheet program and {SAVE_AS}"
XML_SPREADSHEET = f"a spreadsheet in Excel's XML format of 2003. Open it in a spreadsheet program and {SAVE_AS}"
XML = f"an XML document, such as a product feed, which is not read. {EXPORT}"
RTF = f"a text document (RTF). {EXPORT}"

# Possessive, so that nothing is tried twice.
COMMENTS = r"(?:<!--(?:(?!-->).)*+-->\s*+)*+"
ELEMENTS = "html|head|body|meta|title|style|script|table|div"
IS_WEB_PAGE = re.compile(rf"(?:<\?xml\b[^>]*>\s*)?{COMMENTS}<(?:!doctype html|(?:{ELEMENTS})(?=[\s>]))", re.DOTALL)
IS_XML_SPREADSHEET = re.compile(r"<\?xml\s.*(?:excel\.sheet|schemas-microsoft-com:office:spreadsheet)", re.DOTALL)
# With a declaration, or an element in which another begins: a column name may be `<b>Name</b>`.
IS_XML = re.compile(r"<\?xml\s|<!--|<!doctype\s|<[a-z_][\w:.-]*(?:\s[^<>]*)?>\s*<[a-z_!]", re.DOTALL)
PATTERNS = (
    (re.compile(r"\{\\rtf"), RTF),
    (re.compile(r"mime-version:"), WEB_ARCHIVE),
    (IS_WEB_PAGE, WEB_PAGE),
    (IS_XML_SPREADSHEET, XML_SPREADSHEET),
    (IS_XML, XML),
)
FILE_NAME = re.compile(
    r"[^<>|*?\"\r\n]{1,250}\.(?:csv|tsv|tab|txt|xlsx|xlsm|xlsb|xls|ods|json|jsonl|parquet|gz|zip)", re.IGNORECASE
)


def refuse_document(start: bytes) -> None:
    """Refuse a document by its first bytes.

    Raises:
        Invalid: it is a web page, XML or RTF; `not-csv`.
    """
    # The marks are ASCII: UTF-16 only has NULs between them.
    text = trim(start.decode("utf-8-sig", "ignore").replace("\0", "")).lower()
    for pattern, words in PATTERNS:
        if pattern.match(text):
            raise not_csv(f"This is {words}")


def refuse_file_name(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Refuse a file that holds nothing but the name of another, as a form without curl's `@` sends it.

    Raises:
        Invalid: it does; `not-csv`.
    """
    if len(names) == 1 and not rows and FILE_NAME.fullmatch(name := trim(names[0])):
        raise not_csv(
            f"The file holds nothing but the name of a file, “{name}”. Send that file itself; "
            f"with curl: -F file=@{name}"
        )
