"""Compare imports with a plain dict."""

import csv
import io

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from product_importer.catalog.schemas import sku_key
from product_importer.core.edges import trim, trim_name
from tests.examples import examples

skus = st.sampled_from(
    ["a", "A", " a ", "ſ", "S", "s", "é", "e\u0301", "É", "b\\", "\\.", "x\ny", "ß", "SS", "0", "00"]
)
# Byte order marks at the beginning of lines are dropped: docs/file-format.md.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=8)
names = texts.filter(trim)
rows = st.lists(st.tuples(skus, names, texts), max_size=12)


def expected_after(catalogue: dict, file: list[tuple[str, str, str]]) -> tuple[dict, tuple[int, ...]]:
    """Return the expected catalogue by key, and the expected counts."""
    catalogue, last = dict(catalogue), {}
    for sku, name, description in file:
        last[sku_key(sku)] = (trim(sku), trim_name(name), description)
    created = updated = unchanged = 0
    for key, (sku, name, description) in last.items():
        if key not in catalogue:
            created, catalogue[key] = created + 1, (sku, name, description)
        elif catalogue[key][1:] != (name, description):
            updated, catalogue[key] = updated + 1, (catalogue[key][0], name, description)
        else:
            unchanged += 1
    return catalogue, (created, updated, unchanged, len(file) - len(last), 0)


@settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(rows, min_size=1, max_size=3))
def test_imports_agree_with_a_dict(run_import, products, files):
    from product_importer.core import db

    with db.engine().begin() as connection:
        connection.exec_driver_sql("TRUNCATE product")
    catalogue: dict = {}
    for file in files:
        text = io.StringIO(newline="")
        writer = csv.writer(text, quoting=csv.QUOTE_ALL)
        writer.writerows([("sku", "name", "description"), *file])
        job = run_import(text.getvalue())
        catalogue, counts = expected_after(catalogue, file)
        assert (job.created, job.updated, job.unchanged, job.duplicates, job.rejected) == counts
    assert products() == {sku: (name, description) for sku, name, description in catalogue.values()}


def test_ranges_agree_with_a_dict(run_import, products):
    """The file has several ranges, with duplicates far apart in it."""
    file = [(f"K{n * 7919 % 2500}", f"Name {n}", f"Text {n}") for n in range(6_000)]
    job = run_import("sku,name,description\n" + "".join(f"{','.join(row)}\n" for row in file))
    catalogue, counts = expected_after({}, file)
    assert (job.created, job.updated, job.unchanged, job.duplicates, job.rejected) == counts
    assert products() == {sku: (name, description) for sku, name, description in catalogue.values()}
