"""Decide what becomes of each row of a range: pick one row for each key, and compare it with the product held."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from product_importer.imports.error_codes import RowErrorCode, RowOutcome
from product_importer.imports.pipeline import attributes
from product_importer.imports.pipeline.run_columns import RunColumns, array_of
from product_importer.imports.schemas import ImportChoices

REASONS = {
    RowErrorCode.CHANGED_SINCE_PREVIEW: "The product was changed after the dry run, so this row was not merged.",
    RowErrorCode.EXISTS: "A product with this SKU exists, and an import with the mode “create” only creates.",
    RowErrorCode.NOT_FOUND: "There is no product with this SKU, and an import with the mode “update” only updates.",
    RowErrorCode.NO_NAME_TO_KEEP: "The name is empty, and there is no product whose name could be kept.",
}
NO_TEXT = pa.scalar(None, pa.string())


@dataclass(frozen=True)
class Picked:
    """One row for each key, sorted by key; the rows that lost, each with the line of the one that it lost to."""

    rows: pa.Table
    lost: pa.Table
    lost_to: pa.Array


@dataclass(frozen=True)
class Decided:
    """Rows with an `outcome`: a `RowOutcome`, or the `RowErrorCode` for which a row is rejected.

    To the columns of the run come those of the product held, null if there is none: `id`, `version` and `held_sku`.
    `name`, `description` and `active` are the values to be stored: a blank cell that keeps a value is filled.
    """

    rows: pa.Table

    def of(self, outcome: RowOutcome) -> pa.Table:
        """Return the rows of an outcome."""
        return self.rows.filter(pc.equal(self.rows["outcome"], outcome.value)).combine_chunks()

    def rejected(self) -> pa.Table:
        """Return the rows that are rejected."""
        codes = pa.array([code.value for code in REASONS])
        return self.rows.filter(pc.is_in(self.rows["outcome"], codes)).combine_chunks()


def pick(rows: pa.Table, policy: str) -> Picked:
    """Pick by the option `duplicates` one row of each key from rows sorted by key and line.

    With `reject` all rows of a repeated key are lost, the first one to the last, the others to the first.
    """
    keys, lines = array_of(rows, "key"), array_of(rows, "line")
    if len(keys) < 2 or pc.all(pc.not_equal(keys[:-1], keys[1:])).as_py():
        return Picked(rows, rows.slice(0, 0), lines.slice(0, 0))
    differs, edge = pc.not_equal(keys[:-1], keys[1:]), pa.array([True])
    is_first, is_last = pa.concat_arrays([edge, differs]), pa.concat_arrays([differs, edge])
    # The number of each row's key, from 0, and the first and last line of each key.
    key_number = pc.subtract(pc.cumulative_sum(pc.cast(is_first, pa.int64())), 1)
    first = lines.filter(is_first).take(key_number)
    last = lines.filter(is_last).take(key_number)
    is_kept = {"first": is_first, "last": is_last, "reject": pc.and_(is_first, is_last)}[policy]
    winner = {"first": first, "last": last, "reject": pc.if_else(is_first, last, first)}[policy]
    is_lost = pc.invert(is_kept)
    return Picked(
        rows.filter(is_kept).combine_chunks(), rows.filter(is_lost).combine_chunks(), winner.filter(is_lost)
    )


class Decider:
    """Compares rows with the products held, by an import's options."""

    def __init__(self, columns: RunColumns, choices: ImportChoices):
        self._columns = columns
        self._mode = choices.mode
        self._keeps = choices.blank == "keep"

    def decide(self, rows: pa.Table, held: pa.Table, seen: pa.Table | None = None) -> Decided:
        """Decide about rows of different keys.

        `held` are products (`held.HeldProducts`). `seen` is what the dry run saw that is applied now: `key`, `id`
        and `version`, null where there was no product. It has no key that an edit brought in afterwards.
        """
        held = _aligned(rows, held)
        is_held = pc.is_valid(held["version"])
        rows = self._with_kept_values(rows, held)
        differs = self._differs(rows, held)
        outcome = pc.if_else(
            is_held,
            pc.if_else(differs, RowOutcome.UPDATED.value, RowOutcome.UNCHANGED.value),
            RowOutcome.CREATED.value,
        )
        for code, applies in reversed(self._rejections(rows, held, is_held, seen)):
            outcome = pc.if_else(applies, code.value, outcome)
        for name, column in (("id", "id"), ("version", "version"), ("held_sku", "sku")):
            rows = rows.append_column(name, held[column])
        return Decided(rows.append_column("outcome", outcome))

    def _rejections(
        self, rows: pa.Table, held: pa.Table, is_held: pa.ChunkedArray, seen: pa.Table | None
    ) -> Sequence[tuple[RowErrorCode, pa.ChunkedArray]]:
        """Return the rows that each code rejects; the first code that applies is the reason."""
        rejections = []
        if seen is not None:
            seen = _aligned(rows, seen)
            is_same = pc.and_(_equal(held["id"], seen["id"]), _equal(held["version"], seen["version"]))
            was_seen = pc.is_valid(seen["key"])
            rejections.append((RowErrorCode.CHANGED_SINCE_PREVIEW, pc.and_(was_seen, pc.invert(is_same))))
        if self._mode == "create":
            rejections.append((RowErrorCode.EXISTS, is_held))
        if self._mode == "update":
            rejections.append((RowErrorCode.NOT_FOUND, pc.invert(is_held)))
        if self._keeps:
            has_no_name = pc.and_(pc.equal(rows["name"], ""), pc.invert(is_held))
            rejections.append((RowErrorCode.NO_NAME_TO_KEEP, has_no_name))
        return rejections

    def _with_kept_values(self, rows: pa.Table, held: pa.Table) -> pa.Table:
        """Fill blank cells that keep the product's value; a new product is active."""
        if self._keeps:
            for name in ("name", "description"):
                kept = pc.coalesce(pc.if_else(pc.equal(rows[name], ""), NO_TEXT, rows[name]), held[name], "")
                rows = _replaced(rows, name, kept)
        if self._columns.has_active:
            rows = _replaced(rows, "active", pc.coalesce(rows["active"], pc.equal(held["active"], "t"), True))
        return rows

    def _differs(self, rows: pa.Table, held: pa.Table) -> pa.ChunkedArray:
        """Whether a row differs from the product held; of no meaning where there is none."""
        differs = pc.or_(*(pc.not_equal(rows[name], held[name]) for name in ("name", "description")))
        if self._columns.has_active:
            differs = pc.or_(differs, pc.not_equal(rows["active"], pc.equal(held["active"], "t")))
        if "attributes" in held.column_names:
            differs = pc.or_(differs, attributes.objects_differ(rows, held, self._columns.names, self._keeps))
            return pc.fill_null(differs, False)
        for name in self._columns.attributes:
            given, was = rows[name], held[name]
            changed = pc.invert(_equal(given, was))
            # A blank cell that keeps the value changes nothing.
            differs = pc.or_(differs, pc.and_(changed, pc.is_valid(given)) if self._keeps else changed)
        return pc.fill_null(differs, False)


def _aligned(rows: pa.Table, other: pa.Table) -> pa.Table:
    """Return the rows of `other` in step with `rows`, by key; nulls where it has none of a key."""
    other = other.combine_chunks()
    if other.num_rows == 0:
        nulls = [pa.nulls(rows.num_rows, field.type) for field in other.schema]
        return pa.table(nulls, schema=other.schema)
    keys, others = array_of(rows, "key"), array_of(other, "key")
    if len(keys) == len(others) and pc.all(pc.equal(keys, others)).as_py():
        return other
    return other.take(pc.index_in(keys, others)).combine_chunks()


def _equal(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether values are equal, as `IS NOT DISTINCT FROM`: two nulls are."""
    both = pc.and_(pc.is_null(one), pc.is_null(other))
    return pc.or_(both, pc.fill_null(pc.equal(one, other), False))


def _replaced(rows: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), rows.schema.field(name), values)
