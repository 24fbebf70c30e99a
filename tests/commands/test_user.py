"""The commands `user …` as processes: people are let in by set-up links, never by a password on a command line."""

import re
import subprocess
import sys

import pytest

from product_importer.access import service, setup_links
from product_importer.core import db
from tests.access.people import PASSWORD
from tests.application import ROOT

pytestmark = pytest.mark.processes

LINK = re.compile(r"http://localhost:3000/setup\?token=([\w-]{43})")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "product_importer", "user", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def token(*words: str) -> str:
    """Return the token of the link that a command prints as its last line."""
    ended = run(*words)
    assert ended.returncode == 0, ended.stderr
    found = LINK.fullmatch(ended.stdout.splitlines()[-1])
    assert found, ended.stdout
    return found[1]


def test_people_are_added_listed_changed_and_kept_out(database):
    first = token("add", "Mina@shop.example", "--role", "admin")
    db.run(setup_links.use, first, "", PASSWORD)
    token("add", "ed@shop.example", "--role", "viewer")
    listed = "Mina@shop.example\tadmin\tenabled\n"
    assert run("list").stdout == f"ed@shop.example\tviewer\thas no password yet\n{listed}"
    assert run("role", "ED@shop.example", "editor").stdout == "ed@shop.example\teditor\thas no password yet\n"
    assert run("disable", "ed@shop.example").stdout == "ed@shop.example\teditor\tdisabled\n"
    assert run("enable", "ed@shop.example").stdout == "ed@shop.example\teditor\thas no password yet\n"
    assert db.run(service.find_account, "mina@shop.example").role == "admin"


def test_a_new_link_ends_the_older_one(database):
    older = token("add", "mina@shop.example", "--role", "viewer")
    newer = token("link", "mina@shop.example")
    assert older != newer
    assert db.run(setup_links.use, newer, "", PASSWORD).email == "mina@shop.example"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["add", "nonsense", "--role", "viewer"], "email: "),
        (["add", "ADA@shop.example", "--role", "viewer"], "has an account already"),
        (["role", "ada@shop.example", "viewer"], "last administrator"),
        (["disable", "ada@shop.example"], "last administrator"),
        (["disable", "nobody\x1b@shop.example"], r"There is no account nobody\x1b@shop.example"),
        (["disable", "nobody\udcff"], r"There is no account nobody\udcff"),
        (["enable", "nobody@shop.example"], "There is no account"),
        (["link", "nobody@shop.example"], "There is no account"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(database, words, expected):
    token("add", "ada@shop.example", "--role", "admin")
    ended = run(*words)
    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("product-importer: ") and expected in line


@pytest.mark.parametrize(
    "words",
    [["add", "a@b"], ["add", "a@b", "--role", "boss"], ["role", "a@b", "boss"], ["add"], ["nothing"], []],
)
def test_a_wrong_command_line_ends_with_2(words):
    ended = run(*words)
    assert ended.returncode == 2 and "Usage:" in ended.stdout + ended.stderr


def test_no_command_takes_a_password():
    for words in (["add"], ["link"], ["role"], ["enable"]):
        assert "password" not in run(*words, "--help").stdout.lower().replace("chooses a password", "")
