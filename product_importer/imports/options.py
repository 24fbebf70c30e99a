"""Options of an upload: how the file is read, and what its import may change."""

import codecs
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Literal, get_args

import webencodings
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from product_importer.catalog.schemas import COLUMNS, name_error
from product_importer.core.edges import trim
from product_importer.core.errors import field_errors, invalid_fields
from product_importer.core.names import repeated_in_json

Mode = Literal["upsert", "create", "update"]
Duplicates = Literal["last", "first", "reject"]
Blank = Literal["clear", "keep"]
Continuation = Literal["reject", "fill", "skip"]
Scientific = Literal["reject", "keep"]
Delimiter = Literal[",", ";", "\t", "|"]
# What a column can become other than a product field.
ATTRIBUTE, IGNORE = "attribute", "ignore"
# Before the name of an attribute that is not named like its column.
NAMED = "attribute:"
MAX_ATTRIBUTE_NAME = 100

# The encodings that exported catalogues use, as the Encoding Standard (WHATWG) defines them; the first three are
# detected.
Encoding = Literal[
    "utf-8", "utf-16", "windows-1252", "windows-1250", "windows-1251", "windows-1253", "windows-1254", "windows-1255",
    "windows-1256", "windows-1257", "windows-1258", "windows-874", "iso-8859-1", "iso-8859-2", "iso-8859-5",
    "iso-8859-7", "iso-8859-15", "koi8-r", "koi8-u", "ibm866", "mac-roman", "shift_jis", "euc-jp", "gb18030", "big5",
    "euc-kr",
]  # fmt: skip

# The standard's names of encodings to ours, where they differ. It reads GBK like GB 18030, which contains it.
BY_STANDARD: dict[str, str] = {name: name for name in get_args(Encoding)} | {
    "gbk": "gb18030",
    "macintosh": "mac-roman",
    "utf-16le": "utf-16",
}
# Python's codec names to ours; codec lookup understands spellings such as `UTF8`, `cp1252` and `latin-1`.
BY_CODEC: dict[str, str] = {
    codecs.lookup(name).name: name for name in get_args(Encoding) if name != "windows-874"
} | {"cp874": "windows-874", "cp932": "shift_jis", "cp949": "euc-kr", "gbk": "gb18030"}
# The options that a job's row keeps, with defaults as in `schemas.ImportChoices`.
STORED = ("mode", "duplicates", "blank", "dry_run", "continuation", "scientific")
# The last line that can be named as the one with the column names.
MAX_HEADER_LINE = 1_000
SPELLING = re.compile(r"[a-z0-9_:.-]{1,40}", re.IGNORECASE | re.ASCII)


def _from_json(value: object) -> object:
    """Parse a form field's JSON; return other values, which programs pass, as they are."""
    if not isinstance(value, str):
        return value
    if repeated := repeated_in_json(value):
        raise ValueError(f"“{repeated[0]}” occurs more than once")
    return from_json(value)


def _encoding(value: object) -> object:
    """Return our name of an encoding for Python's names and the standard's labels of it, in any case."""
    if not isinstance(value, str) or not SPELLING.fullmatch(value):
        return value
    with suppress(LookupError):
        if known := BY_CODEC.get(codecs.lookup(value).name):
            return known
    standard = webencodings.lookup(value) or webencodings.lookup(value.replace("_", "-"))
    return value if standard is None else BY_STANDARD.get(standard.name, value)


def _target(value: str) -> str:
    """Return what a column becomes, the name of an attribute trimmed.

    Raises:
        ValueError: it is not possible.
    """
    if value in (*COLUMNS, ATTRIBUTE, IGNORE):
        return value
    if not value.startswith(NAMED):
        raise ValueError(f"Should be {', '.join(COLUMNS)}, {ATTRIBUTE}, {NAMED}NAME or {IGNORE}")
    name = trim(value.removeprefix(NAMED))
    if error := name_error(name):
        raise ValueError(error)
    if len(name) > MAX_ATTRIBUTE_NAME:
        raise ValueError(f"A name has at most {MAX_ATTRIBUTE_NAME} characters")
    return NAMED + name


# What a column becomes. The JSON Schema says as much of the rules as all programs understand.
Target = Annotated[
    str,
    AfterValidator(_target),
    Field(
        json_schema_extra={
            "pattern": rf"^({'|'.join((*COLUMNS, ATTRIBUTE, IGNORE))}|{NAMED}[^\u0000]{{1,{MAX_ATTRIBUTE_NAME}}})$"
        }
    ),
]


def _delimiter(value: object) -> object:
    r"""Return a tab for the two characters `\t`, which shells pass on unchanged."""
    return "\t" if value == r"\t" else value


class ImportOptions(BaseModel):
    """The options of one upload, named like its form fields; each may be absent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Annotated[
        Mode,
        Field(
            description="`upsert` creates and updates; `create` rejects rows of existing products, `update` those of "
            "new ones."
        ),
    ] = "upsert"
    duplicates: Annotated[
        Duplicates,
        Field(description="Which row is used when several rows have the same SKU; `reject` rejects all of them."),
    ] = "last"
    blank: Annotated[
        Blank,
        Field(description="What a blank cell does to an existing product: `clear` the value, or `keep` it."),
    ] = "clear"
    dry_run: Annotated[
        bool,
        Field(
            description="Change nothing; store what would change. Apply it on the page or by "
            "`POST /api/jobs/{id}/apply`."
        ),
    ] = False
    columns: Annotated[
        dict[str, Target] | None,
        BeforeValidator(_from_json),
        Field(
            description="JSON object: column of the file to product field, `attribute`, `attribute:NAME` for an "
            "attribute with another name, or `ignore`. Other columns are matched by name. Case and outer spaces of "
            "columns do not matter. Saved for files with the same columns.",
            examples=[{"Handle": "sku", "Title": "name", "Body (HTML)": "description", "Vendor": "ignore"}],
        ),
    ] = None
    encoding: Annotated[
        Encoding | None,
        BeforeValidator(_encoding),
        Field(
            description="Encoding of the text; detected if absent. Case-insensitive; all labels of the Encoding "
            "Standard, such as `sjis` and `gbk`, and other spellings such as `utf8` and `cp1252` are accepted."
        ),
    ] = None
    delimiter: Annotated[
        Delimiter | None,
        BeforeValidator(_delimiter),
        Field(description=r"Character between the cells; detected if absent. A tab may be written `\t`."),
    ] = None

    sheet: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=100,
            description="Name of the workbook's sheet to read, in any case; the first visible one if absent.",
        ),
    ] = None
    header_line: Annotated[
        int | None,
        Field(
            ge=0,
            le=MAX_HEADER_LINE,
            description="Line with the column names, counted from 1; found if absent. 0: the file has none, and its "
            "columns are named `column 1`, `column 2` …",
        ),
    ] = None
    continuation: Annotated[
        Continuation,
        Field(
            description="What a row without a name that continues the product above becomes (a variant or an image): "
            "`reject` rejects it, `skip` leaves it out. `fill` gives it the name of the product above, and the "
            "description and `active` where blank; it leaves out rows without an SKU of their own."
        ),
    ] = "reject"
    scientific: Annotated[
        Scientific,
        Field(
            description="What to do with a SKU in scientific notation, such as `4.00638E+12`: `reject` the row, as a "
            "spreadsheet has cut off digits, or `keep` it as it is."
        ),
    ] = "reject"

    def stored(self) -> dict[str, object]:
        """Return the options that the job's row keeps: those that change the result and that the history shows."""
        return self.model_dump(include=set(STORED))


def parse(options: Mapping[str, object]) -> ImportOptions:
    """Return the options that form fields give.

    Raises:
        Unprocessable: a field does not exist, or its value is not possible; `errors` names each.
    """
    try:
        return ImportOptions.model_validate(options)
    except ValidationError as error:
        raise invalid_fields(field_errors(error.errors(), known=ImportOptions.model_fields)) from None
