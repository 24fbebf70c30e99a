"""What a request for an export chooses: products, format and columns."""

from enum import StrEnum
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field

from product_importer.catalog.schemas import MAX_ATTRIBUTE_NAME, ProductFilter
from product_importer.core.enums import InlineEnum


class ExportFormat(StrEnum):
    """The format of an exported file, which is also the ending of its name."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"
    PARQUET = "parquet"


# So many ids still fit into an address.
MAX_PRODUCT_IDS = 200
Name = TypeVar("Name", str, UUID)


def _each_once(names: list[Name]) -> list[Name]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"“{str(name)[:60]}” is named twice")
    return names


class ExportQuery(ProductFilter):
    """Which products are exported, in which format, and which of their columns."""

    format: Annotated[
        InlineEnum[ExportFormat],
        Field(
            description="`csv`, `xlsx` (Excel), `jsonl` (JSON Lines: an object in each line) or `parquet`. An import "
            "reads each back unchanged."
        ),
    ] = ExportFormat.CSV
    columns: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MAX_ATTRIBUTE_NAME)]],
        AfterValidator(_each_once),
        Field(
            max_length=2_000,
            description="The columns of the file, in this order: `sku`, `name`, `description`, `active` and names of "
            "attributes. Send the parameter once for each column, as a name may hold a comma. All, if absent.",
            examples=[["sku", "name", "colour"]],
            json_schema_extra={"uniqueItems": True},
        ),
    ] = Field(default_factory=list)
    product_id: Annotated[
        list[UUID],
        AfterValidator(_each_once),
        Field(
            max_length=MAX_PRODUCT_IDS,
            description="The ids of products: only these, as far as they match the filters. Send the parameter once "
            "for each. All, if absent.",
            json_schema_extra={"uniqueItems": True},
        ),
    ] = Field(default_factory=list)
