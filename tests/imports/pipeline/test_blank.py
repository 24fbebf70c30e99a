"""Blank cells keep the values of a product if this option is chosen."""

from tests.imports.conftest import row_errors
from tests.imports.pipeline.test_runner import counts, csv_of
from tests.imports.test_options import CATALOGUE, catalogue

BLANKS = csv_of("A,,,,", "c,,new,,", "d,Date,,,", header="sku,name,description,active,price")


def test_blank_cells_keep_existing_values(run_import):
    run_import(CATALOGUE)
    run_import(csv_of("b,,,,", header="sku,name,description,active,price"), blank="keep")
    job = run_import(BLANKS, blank="keep")
    assert (job.status, counts(job)) == ("completed", (1, 0, 1, 0, 1))
    assert row_errors(job.id) == [(3, "no_name_to_keep")]
    assert catalogue() == {
        "a": ("Apple", "red", True, {"price": "10"}),
        "b": ("Bread", "brown", False, {"price": "20"}),
        "d": ("Date", "", True, {}),
    }


def test_options_can_be_combined(run_import):
    run_import(CATALOGUE)
    rows = ("a,,green,,", "a,Other,blue,,", "b,,,yes,", "x,New,,,")
    file = csv_of(*rows, header="sku,name,description,active,price")
    job = run_import(file, mode="update", duplicates="first", blank="keep")
    assert counts(job) == (0, 2, 0, 1, 1)
    assert catalogue() == {
        "a": ("Apple", "green", True, {"price": "10"}),
        "b": ("Bread", "brown", True, {"price": "20"}),
    }
