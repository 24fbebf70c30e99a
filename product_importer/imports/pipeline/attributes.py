"""Attributes of a range's rows as JSON objects, and their comparison with those that the catalogue holds."""

import json

import pyarrow as pa
import pyarrow.compute as pc

from product_importer.imports.pipeline.run_columns import array_of, attribute_column


def objects(rows: pa.Table, names: list[str]) -> pa.StringArray:
    """Return the attributes of each row as a JSON object, in the text that PostgreSQL writes; without blank ones."""
    # jsonb sorts names by their length, then their bytes.
    ordered = sorted(enumerate(names), key=lambda item: (len(item[1].encode()), item[1].encode()))
    columns = [rows[attribute_column(place)].to_pylist() for place, _ in ordered]
    labels = [name for _, name in ordered]
    texts = [
        json.dumps(
            {label: value for label, value in zip(labels, values, strict=True) if value is not None},
            ensure_ascii=False,
        )
        for values in zip(*columns, strict=True)
    ]
    return pa.array(texts, pa.string())


def objects_differ(rows: pa.Table, held: pa.Table, names: list[str], keeps: bool) -> pa.Array:
    """Whether the file's attributes of a row differ from those in `attributes`, the text of the object held.

    With `keeps` only attributes that the row has are compared. Objects are taken apart only where the texts differ.
    """
    given, was = objects(rows, names), array_of(held, "attributes")
    differs = pc.fill_null(pc.not_equal(given, was), False)
    places = pc.indices_nonzero(differs)
    pairs = zip(given.take(places).to_pylist(), was.take(places).to_pylist(), strict=True)
    really = pa.array(
        [_object_differs(json.loads(new), json.loads(old), names, keeps) for new, old in pairs], pa.bool_()
    )
    return pc.replace_with_mask(differs, differs, really)


def _object_differs(new: dict[str, str], old: dict[str, object], names: list[str], keeps: bool) -> bool:
    return any(_text(old.get(name)) != new.get(name) for name in (new if keeps else names))


def _text(value: object) -> str | None:
    """Return a value of a held object as `->>` does."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
