"""A minute of the soak run: everything works on, everything is killed, and every count is exact."""

import os
import subprocess
import sys

import pytest

from tests.application import ROOT
from tests.faults.conftest import SEED

pytestmark = [pytest.mark.e2e, pytest.mark.embedded, pytest.mark.long_form]

SECONDS = 1200


def test_a_short_soak_run_finds_nothing_wrong(capsys: pytest.CaptureFixture[str]):
    done = subprocess.run(
        [sys.executable, "-m", "soak"],
        cwd=ROOT,
        env=os.environ | {"SOAK_MINUTES": "1.5", "SOAK_SEED": SEED},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    with capsys.disabled():
        print(f"\n{done.stdout[-1500:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrong: 0" in done.stdout and "| PostgreSQL connections |" in done.stdout
    assert "import_file" in done.stdout and "killed: {'" in done.stdout, "it has checked nothing"
