"""What the lanes of a merge report, in whatever order."""

from product_importer.imports.heartbeat import Heartbeat
from product_importer.imports.lease import claim

from .conftest import upload


def test_a_lane_that_reports_late_does_not_take_back_what_another_has_counted(database):
    """Taken for the last word, its row would make the import end with rows that have no outcome."""
    held = claim(upload(b"sku,name,description\na,b,c\n"))
    assert held is not None
    heartbeat = Heartbeat(held)
    row = heartbeat.row | {"phase": "merging", "total_rows": 4}
    heartbeat.committed(row | {"created": 2, "updated": 2})
    heartbeat.committed(row | {"created": 2, "updated": 0})
    assert (heartbeat.row["created"], heartbeat.row["updated"]) == (2, 2)
    assert heartbeat.percent > 99
