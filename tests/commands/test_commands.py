"""The command line from outside: what cannot work is said in one line."""

import shutil
import socket
import subprocess
import sys

import pytest

from tests.application import ROOT, data_folder, free_port


def up(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run `up` with just these variables; it must end by itself."""
    data = data_folder()
    ended = subprocess.run(
        [sys.executable, "-m", "product_importer", "up"],
        cwd=ROOT,
        env={"DATA_DIR": str(data), "PATH": "/usr/bin:/bin", "PORT": str(free_port()), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # The embedded servers, where they were started, may still be stopping.
    shutil.rmtree(data.parent, ignore_errors=True)
    return ended


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"DATA_DIR": "/proc/nowhere"}, "DATA_DIR"),
        ({"UPLOAD_DIR": "/proc/nowhere"}, "UPLOAD_DIR"),
        (
            {"DATABASE_URL": "postgresql://me:secret@127.0.0.1:1/shop", "REDIS_URL": "redis://127.0.0.1:1"},
            "REDIS_URL",
        ),
        ({"PORT": "0"}, "PORT"),
    ],
)
def test_a_start_that_cannot_succeed_says_why_in_one_line(environment, words):
    ended = up(**environment)
    assert ended.returncode == 1
    said = [line for line in ended.stderr.splitlines() if line.startswith("product-importer: ")]
    # On a busy machine a server takes its time, which is said, too.
    [line] = [line for line in said if not line.startswith("product-importer: waiting for ")]
    assert words in line and "secret" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_is_named_with_another():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = up(PORT=str(port))
    assert ended.returncode == 1
    assert f"port {port} is taken" in ended.stderr and "PORT=" in ended.stderr


def test_a_database_that_does_not_answer_is_said_in_one_line(servers):
    from product_importer.core.embedded.servers import redis_url

    ended = up(DATABASE_URL="postgresql://me:secret@127.0.0.1:1/shop", REDIS_URL=redis_url())
    assert ended.returncode == 1
    assert "PostgreSQL does not answer" in ended.stderr and "DATABASE_URL" in ended.stderr
    assert "Traceback" not in ended.stderr and "secret" not in ended.stderr


def test_help_names_every_command():
    from product_importer.__main__ import COMMANDS

    said = subprocess.run(
        [sys.executable, "-m", "product_importer", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert all(command in said for command in COMMANDS)
