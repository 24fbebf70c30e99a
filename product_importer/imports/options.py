"""What whoever uploads a file chooses: how it is read, and what an import of it may do."""

import codecs
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from product_importer.core.errors import field_errors, invalid_fields
from product_importer.core.names import repeated_in_json

Mode = Literal["upsert", "create", "update"]
Duplicates = Literal["last", "first", "reject"]
Blank = Literal["clear", "keep"]
Delimiter = Literal[",", ";", "\t", "|"]
# What a column can be beside a product's field.
ATTRIBUTE, IGNORE = "attribute", "ignore"
Target = Literal["sku", "name", "description", "active", "attribute", "ignore"]

# Python's names of the encodings that exported catalogues come in; the first three are found by themselves.
Encoding = Literal[
    "utf-8", "utf-16", "windows-1252", "windows-1250", "windows-1251", "iso-8859-1", "iso-8859-2", "iso-8859-15",
    "mac-roman", "shift_jis", "euc-jp", "gb18030", "big5", "euc-kr",
]  # fmt: skip

# By the name of Python's codec, which knows the usual spellings: `UTF8`, `cp1252` and `latin-1` are three of them.
BY_CODEC: dict[str, str] = {codecs.lookup(name).name: name for name in get_args(Encoding)}
SPELLING = re.compile(r"[a-z0-9_-]{1,40}", re.IGNORECASE | re.ASCII)


def _from_json(value: object) -> object:
    """Return what a form field's text says; a program hands over the thing itself."""
    if not isinstance(value, str):
        return value
    if repeated := repeated_in_json(value):
        raise ValueError(f"“{repeated[0]}” is there more than once")
    return from_json(value)


def _encoding(value: object) -> object:
    """Return an encoding's own name, in whatever way it is written."""
    if isinstance(value, str) and SPELLING.fullmatch(value):
        with suppress(LookupError):
            return BY_CODEC.get(codecs.lookup(value).name, value)
    return value


def _delimiter(value: object) -> object:
    """Return a tab for the two characters that a shell hands on in its place."""
    return "\t" if value == r"\t" else value


class ImportOptions(BaseModel):
    """The options of one upload, as form fields give them; every one may be absent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Annotated[
        Mode, Field(description="`upsert` creates and updates; `create` and `update` reject rows of the other kind.")
    ] = "upsert"
    duplicates: Annotated[
        Duplicates, Field(description="Which row of an SKU counts when a file has several; `reject`: none of them.")
    ] = "last"
    blank: Annotated[
        Blank, Field(description="What a blank cell does to a product that exists: `clear` the value, or `keep` it.")
    ] = "clear"
    dry_run: Annotated[bool, Field(description="Only show what would happen; `apply` then does it.")] = False
    columns: Annotated[
        dict[str, Target] | None,
        BeforeValidator(_from_json),
        Field(
            description="JSON: a column of the file to what it is. Columns that are not named go by their names; "
            "case and outer spaces do not matter. Remembered for the next file with the same columns.",
            examples=[{"Handle": "sku", "Title": "name", "Body (HTML)": "description", "Vendor": "ignore"}],
        ),
    ] = None
    encoding: Annotated[
        Encoding | None,
        BeforeValidator(_encoding),
        Field(
            description="How the text is encoded; else it is found out. In any case; usual other spellings, such as "
            "`utf8` and `cp1252`, do too."
        ),
    ] = None
    delimiter: Annotated[
        Delimiter | None,
        BeforeValidator(_delimiter),
        Field(description=r"What parts the cells; else it is found out. A tab may be written `\t`."),
    ] = None

    def stored(self) -> dict[str, object]:
        """Return what an import's row keeps: what changes its result, and what people see in the history."""
        return self.model_dump(include={"mode", "duplicates", "blank", "dry_run"})


def parse(options: Mapping[str, object]) -> ImportOptions:
    """Return the choices that form fields, or those of the page, name.

    Raises:
        Unprocessable: a field does not exist, or its value is not possible; each is named.
    """
    try:
        return ImportOptions.model_validate(options)
    except ValidationError as error:
        raise invalid_fields(field_errors(error.errors(), known=ImportOptions.model_fields)) from None
