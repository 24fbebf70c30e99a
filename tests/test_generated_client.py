"""A client that is generated from the OpenAPI document imports a file, lists, edits and exports products."""

import importlib
import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from product_importer.api import describe
from tests.access.people import add_person, add_token
from tests.docs.documents import blocks, read
from tests.rest_api import guarded_url, processes_of_guarded_api
from tests.waiting import wait_for

__all__ = ["guarded_url", "processes_of_guarded_api"]

pytestmark = pytest.mark.processes
CONTENT = b"sku,name,description\nMUG-1,Enamel mug,White\nPOT-1,Teapot,\n,Without SKU,\n"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate the client as docs/rest.md says; return the folder that holds the package `generated_client`."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(describe()))
    (folder / "client.yaml").write_text(blocks(read("docs/rest.md"), "yaml")[0])
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json"]
    command += ["--config", "client.yaml", "--meta", "none", "--output-path", "generated_client", "--fail-on-warning"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def part(generated: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that imports a part of the generated package."""
    monkeypatch.syspath_prepend(str(generated))
    return lambda name: importlib.import_module(f"generated_client.{name}")


def test_a_program_imports_follows_lists_edits_and_exports(guarded_url, part):
    client = connect(part, guarded_url, "import", "read", "write")
    models, types = part("models"), part("types")

    def call(name: str, *values: Any, **named: Any) -> Any:
        return part(f"api.{name}").sync(*values, client=client, **named)

    body = models.UploadCsvBody(file=types.File(BytesIO(CONTENT), file_name="shop.csv"))
    accepted = call("imports.upload_csv", body=body, idempotency_key="once")
    wait_for(lambda: call("imports.read_import", accepted.job_id).status == "completed", 60, "the import ends")
    ended = call("imports.read_import", accepted.job_id)
    assert (ended.filename, ended.created, ended.rejected) == ("shop.csv", 2, 1)
    assert b"no_sku" in call("imports.download_rejects", accepted.job_id).payload.read()

    found = call("products.list_products", q="mug")
    assert (found.total, found.items[0].sku) == (1, "MUG-1")
    mug = call("products.patch_product", found.items[0].id, body=models.ProductUpdate(name="Large mug"))
    assert (mug.name, call("products.read_product", mug.id).version) == ("Large mug", 2)
    taken = call("products.create_product", body=models.ProductCreate(sku="mug-1", name="Again"))
    assert (taken.type_, taken.status) == ("/api/problems/sku-taken", 409)

    exported = call("products.export_products", format_=models.ExportProductsFormat.JSONL, columns=["sku", "name"])
    assert [json.loads(line) for line in exported.payload.read().splitlines()] == [
        {"sku": "MUG-1", "name": "Large mug"},
        {"sku": "POT-1", "name": "Teapot"},
    ]


def test_products_are_sent_as_json_lines(guarded_url, part):
    line = b'{"sku": "CUP-1", "name": "Cup", "description": null}\n'
    accepted = part("api.imports.import_products").sync(
        client=connect(part, guarded_url, "import"), body=part("types").File(BytesIO(line))
    )
    assert accepted.status == "pending"


def test_a_program_without_a_valid_token_is_refused(guarded_url, part):
    client = part("client").AuthenticatedClient(base_url=guarded_url, token="pi_none")
    assert part("api.products.list_products").sync(client=client).type_ == "/api/problems/unauthenticated"


def connect(part: Any, url: str, *scopes: str) -> Any:
    """Return the generated client with a token that has these scopes."""
    token = add_token(add_person(), *scopes)
    return part("client").AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True)
