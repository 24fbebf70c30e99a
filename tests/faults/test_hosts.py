"""Hosts of their own that are cut off, killed and joined again: see `in_own_hosts`."""

from pathlib import Path

import pytest

from tests.faults import hosts
from tests.faults.conftest import LONG
from tests.webhooks import own_network

SECONDS = 3600 if LONG else 1200


@pytest.mark.embedded
@pytest.mark.e2e
def test_workers_and_servers_on_hosts_of_their_own():
    reason = hosts.why_not()
    if reason:
        pytest.skip(f"NOT TESTED: hosts that are cut off, which need network namespaces and iproute2: {reason}")
    hosts.build_page()
    done = own_network.run(Path(__file__).with_name("in_own_hosts.py"), SECONDS)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-10_000:]
    assert "passed" in done.stdout and "skipped" not in done.stdout
