"""The systemd units: of commands and settings that exist, accepted by systemd, and with few rights."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from product_importer.commands.cli import cli
from product_importer.core.settings import Settings
from tests.docs.documents import ROOT, read, shell_lines

FOLDER = ROOT / "deploy" / "systemd"
HOME = "/opt/product-importer"
PROGRAM = f"{HOME}/.venv/bin/product-importer"
SERVICES = sorted(path.name for path in FOLDER.glob("*.service"))
SETTINGS = {name.upper() for name in Settings.model_fields}
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(
    ANALYZE is None, reason="NOT TESTED: whether systemd accepts its units needs systemd-analyze on the PATH"
)
# In tenths, from 0 to 100: below 20 systemd says “OK”. A service that talks to the network begins at about 10.
MAX_EXPOSURE = 20


class Unit(configparser.ConfigParser):
    """A unit with the drop-in that applies to it; of a key given several times, all values."""

    optionxform = staticmethod(str)  # type: ignore[assignment]

    def __init__(self, name: str):
        super().__init__(strict=False, interpolation=None, delimiters=("=",))
        self.read_string((FOLDER / name).read_text())
        if name.endswith(".service"):
            self.read_string((FOLDER / "product-importer-.service.d" / "common.conf").read_text())


def test_there_is_a_service_for_each_part():
    run = {name: Unit(name)["Service"]["ExecStart"].removeprefix(PROGRAM).split() for name in SERVICES}
    assert run == {
        "product-importer-migrate.service": ["migrate"],
        "product-importer-web.service": ["web"],
        "product-importer-webhooks.service": ["worker", "--queue", "webhooks"],
        "product-importer-worker@.service": ["worker"],
    }
    assert {words[0] for words in run.values()} <= cli.commands.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_again_and_stops_with_the_target(name):
    unit = Unit(name)
    if unit["Service"].get("Type") == "oneshot":
        return
    assert unit["Service"]["Restart"] == "always" and unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert unit["Unit"]["PartOf"] == unit["Install"]["WantedBy"] == "product-importer.target"
    assert "product-importer-migrate.service" in unit["Unit"]["After"].split()
    # The first process decides: a worker ends its job, the server its requests.
    assert unit["Service"]["KillMode"] == "mixed" and int(unit["Service"]["TimeoutStopSec"]) <= 30


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_settings_that_exist_and_no_rights(name):
    service = Unit(name)["Service"]
    given = dict(pair.split("=") for pair in service["Environment"].split())
    assert given.keys() <= SETTINGS | {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    assert given["DATA_DIR"] == f"/var/lib/{service['StateDirectory']}"
    assert service["User"] != "root" and service["EnvironmentFile"] == "/etc/product-importer/environment"
    assert service["WorkingDirectory"] == HOME
    assert service["NoNewPrivileges"] == service["ProtectHome"] == "yes" and service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    writes = service.get("ReadWritePaths", "")
    assert writes == (f"{HOME}/.web/backend" if name == "product-importer-web.service" else "")


def test_the_example_of_the_settings_is_accepted_once_its_key_is_set():
    text = (FOLDER / "environment.example").read_text()
    given = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text, re.MULTILINE))
    assert given.keys() <= SETTINGS and given["SECRET_KEY"] == ""
    values = {name.lower(): value for name, value in given.items()} | {"secret_key": "0" * 64}
    assert Settings(_env_file=None, **values).signs_in


def test_the_document_installs_these_files():
    lines = "\n".join(shell_lines(read("docs/operations.md")))
    assert f"cp -r {HOME}/deploy/systemd/product-importer* /etc/systemd/system/" in lines
    enabled = re.findall(r"^systemctl enable --now (.*)$", lines, re.MULTILINE)[0].split()
    stems = {re.sub(r"@\S*", "@.service", unit).removesuffix(".service") + ".service" for unit in enabled[1:]}
    assert enabled[0] == "product-importer.target" and stems == set(SERVICES) - {"product-importer-migrate.service"}
    account = Unit(SERVICES[0])["Service"]["User"]
    assert re.search(rf"^useradd --system .* {account}$", lines, re.MULTILINE)
    assert f"install -o {account} -g {account} -d {HOME}/.web/backend" in lines


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a folder with the units, which name programs and documents that exist here."""
    folder = tmp_path / "system"
    shutil.copytree(FOLDER, folder)
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_text(path.read_text().replace(PROGRAM, "/bin/true").replace(f"file:{HOME}", f"file:{ROOT}"))
    return folder


@needs_systemd
@pytest.mark.processes
def test_systemd_accepts_the_units(installed: Path):
    names = [name.replace("@", "@1") for name in SERVICES]
    done = analyze(installed, "verify", *names, "product-importer.target")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    common = installed / "product-importer-.service.d" / "common.conf"
    common.write_text(common.read_text() + "Nonsense=yes\n")
    for name in names:
        assert "Unknown key" in analyze(installed, "verify", name).stderr, f"{name} does not use the common part"


@needs_systemd
@pytest.mark.processes
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_little_exposed(installed: Path, name: str):
    words = ["security", "--offline=true", "--no-pager", f"--threshold={MAX_EXPOSURE}"]
    done = analyze(installed, *words, name.replace("@", "@1"))
    assert done.returncode == 0, done.stdout + done.stderr
    (installed / "product-importer-.service.d" / "common.conf").unlink()
    assert analyze(installed, *words, name.replace("@", "@1")).returncode != 0, "the threshold means nothing"


def analyze(folder: Path, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(ANALYZE), verb, *[word if word.startswith("--") else f"./{word}" for word in words]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
