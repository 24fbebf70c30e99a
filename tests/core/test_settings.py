"""Settings are read from the environment and checked at the start."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
PRINT = (
    "from product_importer.core.settings import settings; s = settings(); print(s.database_url, s.port, s.uploads)"
)


def start(tmp_path: Path, program: str = PRINT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a new process, whose settings come from these variables only."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("WORKERS", "0"),
        ("WEB_PROCESSES", "0"),
        ("WEB_PROCESSES", "65"),
        ("MAX_UPLOAD_MB", "-1"),
        ("BATCH_SIZE", "7"),
        ("IMPORT_WRITERS", "0"),
        ("IMPORT_WRITERS", "17"),
        ("DATABASE_URL", "mysql://root:secret@localhost/x"),
        ("REDIS_URL", "localhost:6379"),
        ("SECRET_KEY", "short secret"),
        ("SECRET_KEY", "a secret of more than thirty-two characters,secret"),
        ("UPLOAD_DIR", "ftp://server/folder"),
        ("MAX_ROWS", "0"),
        ("ALLOWED_HOSTS", "https://shop.example"),
        ("ALLOWED_HOSTS", "shop.example:3000"),
        ("ALLOWED_HOSTS", "*"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("MAX_REQUESTS_PER_ADDRESS", "0"),
    ],
)
def test_an_invalid_value_stops_the_start_with_one_clear_line(tmp_path, variable, value):
    ended = start(tmp_path, **{variable: value})
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"product-importer: {variable}: ")
    assert "secret" not in line


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_means_psycopg2(tmp_path, scheme):
    ended = start(tmp_path, DATABASE_URL=f"{scheme}://me@server/shop")
    assert ended.stdout.split()[0] == "postgresql+psycopg2://me@server/shop"


def test_the_environment_takes_precedence_over_the_env_file(tmp_path):
    (tmp_path / ".env").write_text("PORT=4000\nUPLOAD_DIR=s3://bucket/prefix\n")
    assert start(tmp_path).stdout.split()[1:] == ["4000", "s3://bucket/prefix"]
    assert start(tmp_path, PORT="5000").stdout.split()[1] == "5000"


def test_only_one_module_reads_the_environment():
    """Variables for Reflex and Alembic are set, not read; two modules pass some of the environment on."""
    reading = ("os.getenv", "os.environ.get", "os.environ[")
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "product_importer").rglob("*.py")
        if any(words in path.read_text() for words in reading)
    }
    assert found <= {"product_importer/web/server.py", "product_importer/imports/parsing/limited_process.py"}, found


def test_importing_the_package_loads_neither_reflex_nor_fastapi(tmp_path):
    program = "import product_importer.core.settings, sys; print({'reflex', 'fastapi'} & set(sys.modules))"
    assert start(tmp_path, program).stdout.strip() == "set()"
