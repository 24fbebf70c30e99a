"""What whoever uploads a file chooses: how it is read, and what an import of it may do."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from product_importer.core.errors import Unprocessable, field_errors

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


def _from_json(value: object) -> object:
    """Return what a form field's text says; a program hands over the thing itself."""
    return from_json(value) if isinstance(value, str) else value


class Choices(BaseModel):
    """The options of one upload, as form fields give them; every one may be absent."""

    model_config = ConfigDict(frozen=True, extra="ignore")

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
    encoding: Annotated[Encoding | None, Field(description="How the text is encoded; else it is found out.")] = None
    delimiter: Annotated[Delimiter | None, Field(description="What parts the cells; else it is found out.")] = None

    def stored(self) -> dict[str, object]:
        """Return what an import's row keeps: what changes its result, and what people see in the history."""
        return self.model_dump(include={"mode", "duplicates", "blank", "dry_run"})


def parse(options: dict[str, str]) -> Choices:
    """Return the choices that form fields name.

    Raises:
        Unprocessable: a value is not possible; each field is named.
    """
    try:
        return Choices.model_validate({name: value for name, value in options.items() if value != ""})
    except ValidationError as error:
        errors = field_errors(error.errors())
        raise Unprocessable(
            "; ".join(f"{fault['field']}: {fault['message']}" for fault in errors), errors=errors
        ) from None
