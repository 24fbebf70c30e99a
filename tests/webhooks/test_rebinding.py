"""Names that resolve to private addresses, with a real name server: see `in_own_network`."""

from pathlib import Path

import pytest

from tests.webhooks import own_network

SECONDS = 300


@pytest.mark.embedded
def test_names_of_private_addresses_with_a_real_name_server():
    reason = own_network.why_not()
    if reason:
        pytest.skip(
            f"NOT TESTED: rebinding names against a real name server, which needs a network of its own: {reason}"
        )
    tests = Path(__file__).with_name("in_own_network.py")
    done = own_network.run(tests, SECONDS)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-10_000:]
    assert "passed" in done.stdout and "skipped" not in done.stdout
