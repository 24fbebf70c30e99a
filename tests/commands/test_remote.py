"""The commands `import` and `export` on a real server that runs elsewhere."""

import signal
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler

import pytest

from product_importer.core.ids import new_id
from product_importer.core.storage import storage
from tests.application import ROOT
from tests.commands.cutting_proxy import cutting
from tests.commands.remote_machine import reason, remote, run, serving
from tests.commands.test_import_file import HELD, MANY, catalogue, importing, only_import, wait_until_stopping
from tests.imports.conftest import products
from tests.rest_api import processes_of_api, url
from tests.waiting import wait_for

__all__ = ["processes_of_api", "products", "remote", "run", "url"]

pytestmark = pytest.mark.processes
GOOD = b"sku,name,description\na,A,x\n,B,y\n"


def test_a_file_is_imported_and_exported_on_another_machine(url, run, products, tmp_path):
    (tmp_path / "shop.csv").write_bytes(GOOD)
    rejects, target = tmp_path / "rejects.csv", tmp_path / "out.jsonl"
    done = run(url, "import", str(tmp_path / "shop.csv"), "--rejects", str(rejects))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("shop.csv: completed in ") and "1 created" in done.stdout
    assert rejects.read_text().splitlines()[1:] == [",B,y,3,no_sku,The SKU is empty."]
    assert products() == {"a": ("A", "x")}
    exported = run(
        url, "export", str(target), "--columns", "name", "--columns", "sku", "--active", "true", "--q", "A"
    )
    content = b'{"name":"A","sku":"a"}\n'
    assert (exported.returncode, exported.stderr) == (0, f"{len(content)} bytes exported.\n")
    assert target.read_bytes() == content
    assert run(url, "export", "-", "--columns", "sku").stdout.split() == ["sku", "a"]
    assert run(url, "export", "-", "--columns", "sku", "--import", str(new_id())).stdout.split() == ["sku"]


def test_the_options_are_those_of_a_local_import(url, run):
    words = [
        "--dry-run",
        "--mode",
        "create",
        "--columns",
        '{"Handle": "sku"}',
        "--delimiter",
        r"\t",
        "--rejects",
        "-",
    ]
    done = run(
        url, "import", "-", "--delimiter", r"\t", *words, stdin=b"Handle\tname\tdescription\na\tA\tx\n\tB\ty\n"
    )
    job = only_import()
    assert (done.returncode, job.status, job.filename) == (0, "previewed", "stdin"), done.stderr
    assert (job.choices.mode, job.choices.dry_run, job.format.delimiter) == ("create", True, "\t")
    assert "no_sku" in done.stdout and "1 created" in done.stderr


def test_a_url_is_downloaded_here_and_imported_there(url, run, products, tmp_path):
    (tmp_path / "shop.csv").write_bytes(GOOD)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with serving(handler) as files:
        given = {"WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8", "REDIS_URL": "", "MAX_UPLOAD_MB": "1"}
        done = run(url, "import", f"{files}/shop.csv", **given)
    assert (done.returncode, products().keys(), only_import().filename) == (0, {"a"}, "shop.csv"), done.stderr


def test_the_server_s_refusals_are_shown(url, run):
    wrong = reason(run(url, "import", "-", stdin=b"Product SKU,name,description\n"))
    assert """--columns '{"Product SKU": "sku"}'""" in wrong
    assert "--mode: " in reason(run(url, "import", "-", "--mode", "replace"))
    assert "“colour”" in reason(run(url, "export", "-", "--columns", "colour"))
    assert only_import() is None


def test_a_failed_import_gives_its_reason(url, run):
    done = run(url, "import", "-", stdin=b"sku,name,description\na,A,x\nb,B," + b"x" * (17 * 2**20))
    assert done.returncode == 1 and "(line_too_long)" in done.stderr and "stdin: failed" in done.stdout


def test_ctrl_c_stops_the_import_there(url, remote, products, tmp_path):
    with importing(tmp_path / "many.csv", remote(url)) as (process, let_go):
        process.send_signal(signal.SIGINT)
        wait_until_stopping(process)
        let_go()
        out, err = process.communicate(timeout=60)
    job = only_import()
    assert (process.returncode, job.status) == (130, "cancelled"), err
    assert f"{job.created:,} created" in out
    assert 0 < job.created == len(products()) - len(HELD) < MANY - len(HELD)
    assert "stopped by you" in err


def test_ctrl_c_while_the_file_is_sent_leaves_nothing(url, remote):
    command = [sys.executable, "-m", "product_importer", "import", "-"]
    process = subprocess.Popen(command, cwd=ROOT, env=remote(url), stdin=-1, stdout=-1, stderr=-1)
    assert process.stdin
    process.stdin.write(catalogue(50_000))
    process.stdin.flush()
    wait_for(lambda: list(storage().keys()), 30, "the file is arriving")
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130 and "Nothing was imported" in err
    wait_for(lambda: not list(storage().keys()), 30, "the server has discarded it")
    assert only_import() is None


@pytest.mark.parametrize("cut", ["the file", "the answer"])
def test_what_breaks_off_is_sent_again_and_imported_once(url, run, tmp_path, cut):
    (tmp_path / "shop.csv").write_bytes(catalogue(100_000))
    with cutting(url, cut) as proxy:
        done = run(proxy, "import", str(tmp_path / "shop.csv"))
    assert done.returncode == 0 and "The file is sent again." in done.stderr, done.stderr
    job = only_import()
    assert (job.status, job.created) == ("completed", 100_000)


def test_standard_input_that_breaks_off_is_not_sent_again(url, run):
    with cutting(url, "the file") as proxy:
        done = run(proxy, "import", "-", stdin=catalogue(100_000))
    assert "broke off" in reason(done)
    assert only_import() is None
