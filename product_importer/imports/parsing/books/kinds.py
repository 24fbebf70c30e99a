"""Tell a workbook's kind by what its zip holds, and name the kinds."""

from zipfile import BadZipFile, ZipFile

from product_importer.imports.parsing.archives import BROKEN, METHODS
from product_importer.imports.parsing.file_format import Format, Kind
from product_importer.imports.parsing.other_documents import EXPORT
from product_importer.imports.parsing.records import not_csv
from product_importer.imports.parsing.xlsx.package import is_workbook
from product_importer.imports.parsing.xlsx.xml_parts import part_name

# In the order in which they are compared: an .xlsb has the names of an .xlsx, too.
NAMES: dict[Kind, str] = {
    "xls": "an old Excel workbook (.xls)",
    "xlsb": "a binary Excel workbook (.xlsb)",
    "ods": "an OpenDocument workbook (.ods)",
    "xlsx": "an Excel workbook (.xlsx) that lacks some of its parts",
}
OPENDOCUMENT = b"application/vnd.oasis.opendocument."
SPREADSHEET = OPENDOCUMENT + b"spreadsheet"
# Documents of other kinds, by a part that all of them have.
OTHERS = {
    "word/document.xml": f"a Word document (.docx). {EXPORT}",
    "ppt/presentation.xml": f"a presentation (.pptx). {EXPORT}",
    "index/document.iwa": "a document of Numbers, Pages or Keynote. In Numbers, export it as Excel (.xlsx) or CSV "
    "and upload that.",
}
MAX_TYPE_BYTES = 100
# To convert one sheet of any size; the longest take a fraction of it.
CONVERSION_SECONDS = 300


def kind_of_zip(archive: ZipFile) -> Kind | None:
    """Return the kind of workbook that a zip is; None if it is none.

    Raises:
        Invalid: it is a document of another kind; `not-csv`.
    """
    names = set(map(part_name, archive.namelist()))
    if is_workbook(archive):
        return "xlsb" if "xl/workbook.bin" in names else "xlsx"
    for part, words in OTHERS.items():
        if part in names:
            raise not_csv(f"This is {words}")
    type = _type(archive) if "content.xml" in names else b""
    if type.startswith(OPENDOCUMENT) and not type.startswith(SPREADSHEET):
        raise not_csv(f"This is an OpenDocument file, but no workbook (.ods). {EXPORT}")
    return "ods" if type.startswith(SPREADSHEET) else None


def is_read_by_calamine(format: Format) -> bool:
    """Whether a file is a workbook of which number formats and formulas cannot be seen."""
    return format.kind in NAMES and format.container != "xlsx"


def _type(archive: ZipFile) -> bytes:
    """Return the beginning of the type that an OpenDocument file states; empty where that is no such file."""
    try:
        member = archive.getinfo("mimetype")
        if member.compress_type not in METHODS:
            raise BadZipFile
        with archive.open(member) as stream:
            return stream.read(MAX_TYPE_BYTES)
    except (KeyError, RuntimeError, *BROKEN):
        return b""
