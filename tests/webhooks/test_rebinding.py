"""Names that resolve to private addresses, with a real name server: see `in_own_network`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.application import ROOT
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
    command = [sys.executable, "-m", own_network.__name__, str(own_network.network()), "-q", str(tests)]
    # Servers in the outer network cannot be reached from the inner one.
    environment = {
        name: value for name, value in os.environ.items() if not name.endswith(("DATABASE_URL", "REDIS_URL"))
    }
    done = subprocess.run(
        [*own_network.unshare(), *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-10_000:]
    assert "passed" in done.stdout and "skipped" not in done.stdout
