"""The commands of the documents work: curl and the command line are run, the others are checked.

Each line of a shell block must match a pattern of CHECKED, which names the test for it.
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from product_importer.core import db
from tests.docs.documents import DOCUMENTS, ROOT, blocks, read, shell_lines
from tests.rest_api import processes_of_api, url
from tests.waiting import wait_for

__all__ = ["processes_of_api", "url"]

SECONDS = 60
# Patterns for lines of shell blocks, and the test that checks such lines.
CHECKED = {
    r"(\w+=\S+ )*make \w+": "test_links",
    r"((JOB|PRODUCT)_ID=\$\()?curl ": "test_the_requests_of_a_document_succeed",
    r"printf .* > \w+\.(csv|ndjson)$": "test_the_requests_of_a_document_succeed",
    r"product-importer export ": "test_the_export_commands_succeed",
    r"(zcat \w+\.csv\.gz \| )?product-importer import ": "test_the_import_commands_succeed",
    r"export PRODUCT_IMPORTER_URL=": "tests/commands/test_remote.py",
    r"\. \.venv/bin/activate": "tests/commands",
    r"reflex run": "tests/commands",
    r"rq worker -c product_importer\.worker": "test_the_rq_worker_command_starts",
    r'echo "\w+=\$\(openssl rand -hex (24|32)\)" >> \.env$': "tests/test_container.py",
    r"docker compose (up|logs web$|exec web product-importer user )": "tests/test_container.py",
    r"docker compose --file compose\.one\.yaml (up|logs$)": "tests/deploy/test_one_container.py",
    r"(useradd --system|make -C|cd|install|cp -r) .*\bproduct-importer\b": "tests/deploy/test_systemd.py",
    r"(systemctl (daemon-reload|enable --now)|journalctl --unit)( |$)": "tests/deploy/test_systemd.py",
    r"kubectl ": "tests/deploy/test_kubernetes.py",
    r"product-importer user ": "test_the_user_commands_succeed",
    r"(\w+=\S+ )*\.venv/bin/python -m (pytest|tests|bench|bench\.load)( |$)": "test_links, for the paths",
    r"time sh -c 'make run & ": "test_links, for the target",
    r"(pipx install )?pre-commit\b": "nothing: the package is not a dependency",
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_is_of_a_kind_that_is_checked(document):
    lines = shell_lines(document.read_text())
    unknown = [line for line in lines if not any(re.match(kind, line) for kind in CHECKED)]
    assert not unknown, f"{document.name}: run these or say in CHECKED what checks them: {unknown}"


@pytest.mark.skipif(shutil.which("curl") is None, reason="NOT TESTED: the documents' requests need curl on the PATH")
@pytest.mark.parametrize("document", ["README.md", "docs/rest.md"])
def test_the_requests_of_a_document_succeed(url, tmp_path, document):
    script = "\n".join(block for block in blocks(read(document), "sh") if "curl " in block)
    script = "set -eo pipefail\n" + re.sub(r"\bcurl\b", "curl --fail-with-body -sS", script)
    done = bash(script.replace("http://localhost:3000", url), tmp_path)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert '"status":"completed"' in done.stdout and '"sku":"MUG-1"' in done.stdout
    if document == "docs/rest.md":
        assert "no_sku" in (tmp_path / "rejects.csv").read_text()
        assert '"status":"previewed"' in done.stdout and '"secret":"whsec_' in done.stdout
        wait_for(lambda: name_of("MUG-1") == "Enamel mug", SECONDS, "the undo restores the product's name")


@pytest.mark.skipif(shutil.which("curl") is None, reason="NOT TESTED: the documents' requests need curl on the PATH")
def test_the_upload_with_other_column_names(url, tmp_path):
    (tmp_path / "shop.csv").write_text("Handle,Title,Body (HTML)\nMUG-1,Enamel mug,White\n")
    (tmp_path / "products_export.csv").write_text(
        "Handle,Title,Body (HTML),Published,Variant SKU\nmug,Enamel mug,White,true,MUG-1\nmug,,,,MUG-2\n"
    )
    scripts = blocks(read("docs/file-format.md"), "sh")
    done = bash("\n".join(scripts).replace("http://localhost:3000", url), tmp_path)
    assert done.stdout.count('"job_id"') == len(scripts) == 2, done.stdout + done.stderr


def test_the_import_commands_succeed(database, tmp_path):
    content = b"sku,name,description\nMUG-1,Enamel mug,White\nMUG-2,,\n"
    (tmp_path / "catalogue.csv").write_bytes(content)
    (tmp_path / "catalogue.csv.gz").write_bytes(gzip.compress(content))
    documented = [line for line in shell_lines(read("docs/import-command.md")) if not line.startswith("export ")]
    lines = [*documented, "product-importer import catalogue.csv"]
    local = [line for line in lines if "https://" not in line]
    assert len(local) > 3 and len(local) < len(lines)
    done = bash("set -e\n" + "\n".join(local), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no_name" in (tmp_path / "rejects.csv").read_text()
    assert name_of("MUG-1") == "Enamel mug"


def test_the_user_commands_succeed(database, tmp_path):
    lines = [line for line in shell_lines(read("docs/operations.md")) if line.startswith("product-importer user ")]
    admin = "product-importer user add ada@shop.example --role admin"
    done = bash("\n".join(["set -e", admin, *lines]), tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(lines) == 6 and done.stdout.count("/setup?token=") == 3


def test_the_export_commands_succeed(database, tmp_path):
    products = "product-importer import catalogue.csv"
    (tmp_path / "catalogue.csv").write_text("sku,name,description\nMUG-1,Enamel mug,White\n")
    lines = [line for line in shell_lines(read("docs/export.md")) if line.startswith("product-importer export ")]
    done = bash("\n".join(["set -e", products, *lines]), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("1 product exported.") == len(lines) > 2
    assert '"sku":"MUG-1"' in done.stdout and (tmp_path / "products.xlsx").exists()


@pytest.mark.skipif(shutil.which("curl") is None, reason="NOT TESTED: the documents' requests need curl on the PATH")
def test_the_export_requests_succeed(url, tmp_path):
    script = re.sub(r"\bcurl\b", "curl --fail-with-body -sS", blocks(read("docs/export.md"), "sh")[0])
    done = bash("set -e\n" + script.replace("http://localhost:3000", url), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "products.xlsx").read_bytes().startswith(b"PK")


@pytest.mark.processes
def test_the_options_of_the_commands_exist():
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    used: dict[str, set[str]] = {}
    for name, rest in re.findall(
        r"(?:product-importer|python -m product_importer) ((?:user )?[a-z]+)([^`\n]*)", text
    ):
        used.setdefault(name, set()).update(re.findall(r"--[a-z-]+", rest))
    assert {"--dry-run", "--rejects", "--mode"} <= used["import"] and "--queue" in used["worker"]
    for name, options in used.items():
        help_text = run("-m", "product_importer", *name.split(), "--help").stdout
        assert not [option for option in options if option not in help_text], f"{name} has no such option"


@pytest.mark.processes
def test_the_rq_worker_command_starts():
    lines = {line for document in DOCUMENTS for line in shell_lines(document.read_text()) if line.startswith("rq ")}
    assert {line.split()[4] for line in lines if len(line.split()) > 4} == {"webhooks"}
    assert run("-c", "import product_importer.worker").returncode == 0


def bash(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder, on the servers of the tests; `product-importer` is this working copy's."""
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "product-importer"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m product_importer "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    command = ["timeout", str(SECONDS), "bash", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)


def name_of(sku: str) -> str | None:
    with db.engine().connect() as connection:
        return connection.exec_driver_sql("SELECT name FROM product WHERE sku = %s", (sku,)).scalar()
