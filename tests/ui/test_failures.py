"""What people and the log are told when an event's handler fails."""

import logging
import re

import pytest

from product_importer.ui import failures


def test_the_page_and_the_log_have_the_same_number(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR):
        told = str(failures.report_backend(RuntimeError("a secret of the code")))
    [record] = caplog.records
    number = re.search(r"error ([0-9a-f]{8})", record.getMessage())
    assert number and f"The log has error {number[1]}." in told
    assert "a secret of the code" not in told
    assert "This did not work" in told
