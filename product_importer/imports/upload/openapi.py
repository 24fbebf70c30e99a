"""Describe for OpenAPI the bodies and the options of uploads, which are read while they arrive."""

from typing import Any

from product_importer.imports.options import ImportOptions
from product_importer.imports.upload import bulk


def _form_fields() -> dict[str, Any]:
    """Return the schemas of the options as form fields, which cannot be null and may hold JSON."""
    fields: dict[str, dict[str, Any]] = ImportOptions.model_json_schema()["properties"]
    for schema in fields.values():
        if kinds := schema.pop("anyOf", None):
            del schema["default"]
            schema.update([kind for kind in kinds if kind != {"type": "null"}][-1])
    return fields


UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "A CSV in any common encoding, JSON Lines, or a JSON array of objects, "
                            "plain or packed (.gz, .bz2, .xz, .zst, .zip, .tar); a workbook (.xlsx, .xls, .xlsb or "
                            ".ods); or a Parquet file.",
                        },
                        **_form_fields(),
                    },
                }
            }
        },
    }
}


def _query_parameters() -> list[dict[str, Any]]:
    """Return the options as query parameters; those that are objects are JSON text."""
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.pop("description"),
            **(
                {"content": {"application/json": {"schema": schema}}}
                if schema["type"] == "object"
                else {"schema": schema}
            ),
        }
        for name, schema in _form_fields().items()
        if name in bulk.FIELDS
    ]


BULK_BODY = {
    "requestBody": {
        "required": True,
        "description": "JSON Lines in UTF-8: one object a line. Its keys are the columns; the first 300 objects name "
        "all of them.",
        "content": {
            bulk.MEDIA_TYPE: {
                "schema": {"type": "string", "format": "binary"},
                "example": '{"sku": "MUG-1", "name": "Enamel mug", "description": "White", "colour": "white"}\n',
            }
        },
    },
    "parameters": _query_parameters(),
}
