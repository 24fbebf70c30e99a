"""Edits of single cells of products: each is saved or refused on its own, all in one transaction."""

from uuid import UUID

import pytest

from product_importer.catalog.pages.cell_conflicts import merge
from product_importer.catalog.pages.cell_edits import MAX_EDITS, RowEdit, read_texts, row_edits, save
from product_importer.core import db
from product_importer.core.errors import NotFound, Unprocessable
from product_importer.ui.grid.component import CellEdit, CellName
from tests.catalog.conftest import events


def edited(product: dict, version: int | None = None, **cells: str):
    """Save cells of a product; `at_` before a name stands for an attribute's `@`."""
    named = {name.replace("at_", "@"): value for name, value in cells.items()}
    [done] = db.run(save, [RowEdit(UUID(product["id"]), named, version)])
    return done


def test_fields_and_attributes_are_saved_as_one_change(create, client):
    made = create(attributes={"colour": "red", "size": "L"})
    done = edited(made, 1, name="New", active="No", at_colour="blue", at_size="")
    assert done.refused == {} and not done.is_stale
    now = client.get(f"/api/products/{made['id']}").json()
    assert (now["name"], now["active"], now["attributes"], now["version"]) == ("New", False, {"colour": "blue"}, 2)
    assert done.before == {"name": "Name", "active": "true", "@colour": "red", "@size": "L"}
    assert [event["event_type"] for event in events()] == ["product_created", "product_updated"]


def test_a_wrong_cell_is_refused_and_the_others_are_saved(create):
    other = create(sku="Taken")
    made = create(sku="Mine")
    done = edited(made, 1, sku="taken", name=" ", description="Right", active="perhaps", at_sku="x", created_at="1")
    assert done.product.description == "Right" and done.product.sku == "Mine"
    assert set(done.refused) == {"sku", "name", "active", "@sku", "created_at"}
    assert done.refused["sku"] == "Another product has this SKU."
    assert done.before == {"description": ""}
    assert edited(other, 1, name="Still 1").product.version == 2


def test_a_version_that_was_changed_meanwhile_is_a_conflict(create, client):
    made = create()
    client.patch(f"/api/products/{made['id']}", json={"name": "Theirs"}).raise_for_status()
    done = edited(made, 1, name="Mine")
    assert done.is_stale and done.product.name == "Theirs" and list(done.refused) == ["name"]
    assert edited(made, 2, name="Mine").product.name == "Mine"


def test_a_product_that_is_gone_is_refused(create, client):
    made = create()
    client.delete(f"/api/products/{made['id']}").raise_for_status()
    done = edited(made, 1, name="Late")
    assert done.product is None and done.refused == {"name": "The product was deleted meanwhile."}


def test_attributes_are_bounded_together(create):
    made = create(attributes={f"a{n}": "x" for n in range(200)})
    done = edited(made, 1, at_more="y", name="Renamed")
    assert "at most 200 attributes" in done.refused["@more"] and done.product.name == "Renamed"


def test_edits_that_are_too_many_or_of_no_product_are_refused():
    edit = CellEdit(row="x", column="name", value="y", stamp=1)
    with pytest.raises(Unprocessable, match="At most 1,000 cells"):
        row_edits([edit] * (MAX_EDITS + 1), {})
    with pytest.raises(NotFound):
        row_edits([edit], {})


def test_whole_texts_are_read_and_bounded(create):
    made = create(description="d" * 100_000, attributes={"colour": "red"})
    cells = [CellName(row=made["id"], column=column) for column in ("description", "@colour", "@none")]
    gone = CellName(row="01900000-0000-7000-8000-000000000000", column="name")
    texts = db.run(read_texts, [*cells, gone, CellName(row="no id", column="name")])
    assert texts == {made["id"]: {"description": "d" * 100_000, "@colour": "red", "@none": ""}}
    with pytest.raises(Unprocessable, match="too long to be read at once"):
        db.run(read_texts, [cells[0]] * 60)


def test_an_edit_that_expects_values_is_stale_only_where_these_have_changed(create, client):
    made = create(attributes={"colour": "red"})
    client.patch(f"/api/products/{made['id']}", json={"description": "Theirs"}).raise_for_status()
    edit = RowEdit(UUID(made["id"]), {"name": "Mine"}, expected={"name": "Name", "@colour": "red", "@size": ""})
    [done] = db.run(save, [edit])
    assert (done.before, done.written()) == ({"name": "Name"}, {"name": "Mine"})
    assert db.run(save, [edit])[0].is_stale
    assert not db.run(save, [edit.expecting(done.written())])[0].is_stale


def test_conflicts_are_merged_until_their_cells_are_saved(create, client):
    made, gone = create(), create(sku="Gone")
    both = merge({}, [edited(made, 9, name="Mine", sku="Mine"), edited(gone, 9, name="Mine")])
    assert [view.column for one in both.values() for view in one.views()] == ["Name", "SKU", "Name"]
    both = merge(both, [edited(made, 1, description="Other", name=" ")])
    kept = both[UUID(made["id"])].edit
    assert (kept.cells, kept.expected) == ({"name": "Mine", "sku": "Mine"}, {"name": "Name", "sku": made["sku"]})
    client.delete(f"/api/products/{gone['id']}").raise_for_status()
    left = merge(both, [edited(made, 2, name="New"), edited(gone, 9, name="Late")])
    assert [one.edit.cells for one in left.values()] == [{"sku": "Mine"}]
