"""The engine's tests again, with products in a table of the form that Citus can distribute: without triggers."""

from collections.abc import Iterator

import pytest

from product_importer import migrations
from product_importer.catalog import distributed
from product_importer.core import db
from tests.databases import new_database
from tests.imports import test_actions, test_options, test_retry
from tests.imports.pipeline import (
    test_blank,
    test_dry_run,
    test_held,
    test_lease,
    test_oracle,
    test_range_writer,
    test_ranges,
    test_runner,
    test_undo,
)

# Fixtures of the tests below.
from tests.imports.pipeline.test_held import catalogue, ways  # noqa: F401
from tests.imports.pipeline.test_lease import kill_after  # noqa: F401
from tests.imports.pipeline.test_range_writer import reads  # noqa: F401
from tests.imports.pipeline.test_ranges import runs, written  # noqa: F401
from tests.imports.test_actions import start  # noqa: F401
from tests.repeated import repeat

REPEATED = (
    test_runner,
    test_oracle,
    test_options,
    test_blank,
    test_dry_run,
    test_undo,
    test_lease,
    test_retry,
    test_range_writer,
    test_ranges,
    test_held,
)
ONLY_PLAIN = {
    # An id alone is no key of this table.
    "test_a_taken_id_is_an_error_of_ours_and_not_tried_again",
    # There a trigger stores them.
    "test_only_an_import_stores_the_values_that_it_overwrites",
    # There others can only write another product.
    "test_after_some_retries_products_are_locked_before_they_are_read",
    "test_products_that_appear_each_time_end_the_retries",
}

for module in REPEATED:
    repeat(module, globals(), {"run_import", "database"}, ONLY_PLAIN)
repeat(test_actions, globals(), {"start", "client"}, ())


@pytest.fixture(scope="module", autouse=True)
def reshaped(servers: None) -> Iterator[None]:
    """A database whose table of products has this form."""
    with new_database("", pytest.MonkeyPatch()) as engine:
        migrations.migrate()
        with engine.begin() as connection:
            distributed.reshape(connection.connection.cursor())
        yield


@pytest.fixture(autouse=True)
def forgotten(reshaped: None, database: None) -> None:
    """What the trigger on TRUNCATE does elsewhere."""
    with db.session() as session:
        distributed.note_truncation(session)
