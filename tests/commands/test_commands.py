"""The command line from outside: errors are reported in one line."""

import importlib.metadata
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest

from product_importer import __version__
from product_importer.api import api
from product_importer.commands.cli import cli
from product_importer.imports.options import ImportOptions
from tests.application import ROOT, data_folder, free_port

pytestmark = pytest.mark.processes


NOWHERE = {"DATABASE_URL": "postgresql://me@127.0.0.1:1/shop", "REDIS_URL": "redis://127.0.0.1:1"}


def up(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `up`, or another command, with only these variables; it must end by itself."""
    data = data_folder()
    ended = subprocess.run(
        [sys.executable, "-m", "product_importer", *(command or ("up",))],
        cwd=ROOT,
        env={"DATA_DIR": str(data), "PATH": "/usr/bin:/bin", "PORT": str(free_port()), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # Embedded servers may still be stopping.
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
    errors = [line for line in ended.stderr.splitlines() if line.startswith("product-importer: ")]
    # On a busy machine there may be messages about a slow start of a server, too.
    [line] = [line for line in errors if not line.startswith("product-importer: waiting for ")]
    assert words in line and "secret" not in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["up", "web", "worker", "dev"])
def test_sign_in_with_a_database_of_one_s_own_needs_a_key_for_secrets(command):
    ended = up(command, AUTH="on", **NOWHERE)
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    assert line.startswith("product-importer: SECRET_KEY is not set")
    given = up("migrate", AUTH="on", **NOWHERE)
    assert "SECRET_KEY" not in given.stderr and "PostgreSQL does not answer" in given.stderr


def test_reflex_run_needs_that_key_too():
    program = "from product_importer.product_importer import app; app()"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "AUTH": "on", **NOWHERE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("product-importer: SECRET_KEY is not set")
    assert "Traceback" not in ended.stderr


def test_a_taken_port_is_named_with_a_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = up(PORT=str(port))
    assert ended.returncode == 1
    assert f"port {port} is taken" in ended.stderr and "PORT=" in ended.stderr


def test_an_unreachable_database_is_reported_in_one_line(servers):
    from product_importer.core.embedded.servers import redis_url

    ended = up(DATABASE_URL="postgresql://me:secret@127.0.0.1:1/shop", REDIS_URL=redis_url())
    assert ended.returncode == 1
    assert "PostgreSQL does not answer" in ended.stderr and "DATABASE_URL" in ended.stderr
    assert "Traceback" not in ended.stderr and "secret" not in ended.stderr


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_names_every_command_with_its_whole_summary():
    help_text = " ".join(run(sys.executable, "-m", "product_importer", "--help").stdout.split())
    assert all(f"{name} {command.get_short_help_str()}" in help_text for name, command in cli.commands.items())


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--help"], 0, "Commands:"),
        (["--version"], 0, f"version {__version__}"),
        (["import", "--help"], 0, "--dry-run"),
        ([], 2, "Commands:"),
        (["nothing"], 2, "No such command"),
        (["import"], 2, "Missing argument"),
        (["export", "-", "--colour", "red"], 2, "No such option"),
    ],
)
def test_the_console_script_and_the_module_are_the_same_program(words, code, expected):
    script = run(str(Path(sys.executable).parent / "product-importer"), *words)
    module = run(sys.executable, "-m", "product_importer", *words)
    assert (script.returncode, script.stdout, script.stderr) == (module.returncode, module.stdout, module.stderr)
    assert script.returncode == code and expected in script.stdout + script.stderr


def test_the_installed_version_is_that_of_the_code():
    assert importlib.metadata.version("product-importer") == __version__ == api.version


def test_import_has_an_option_for_each_choice_of_an_upload():
    options = {option.name: option for option in cli.commands["import"].params if isinstance(option, click.Option)}
    assert options.keys() - {"rejects"} == ImportOptions.model_fields.keys()
    assert all(
        str(options[name].help).startswith(str(field.description))
        for name, field in ImportOptions.model_fields.items()
    )


def test_an_invalid_setting_stops_a_command_but_not_its_help(monkeypatch):
    monkeypatch.setenv("PORT", "0")
    assert run(sys.executable, "-m", "product_importer", "doctor", "--help").returncode == 0
    stopped = run(sys.executable, "-m", "product_importer", "doctor")
    assert stopped.returncode == 1 and stopped.stderr.startswith("product-importer: PORT: ")


def test_help_loads_neither_reflex_nor_sqlalchemy():
    program = "from product_importer.commands.cli import main; import sys; main(['--help']); print(*sys.modules)"
    loaded = run(sys.executable, "-c", program).stdout.splitlines()[-1].split()
    assert not {"reflex", "sqlalchemy", "pydantic_settings"} & set(loaded)
