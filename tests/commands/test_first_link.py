"""The start prints a link to the first account where people must sign in and nobody can yet."""

import re

import pytest

from product_importer.access import setup_links
from product_importer.commands import first_link
from product_importer.core import db
from product_importer.core.settings import settings
from tests.access.people import PASSWORD, add_person


@pytest.fixture
def signs_in(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "auth", "on")


def test_it_is_printed_once_and_works(signs_in, capsys):
    first_link.announce()
    [token] = re.findall(r"http://localhost:3000/setup\?token=([\w-]+)", capsys.readouterr().out)
    # Another process prints its own, and ends nobody's.
    first_link.announce()
    assert db.run(setup_links.use, token, "mina@shop.example", PASSWORD).role == "admin"


def test_it_leads_to_the_public_address(signs_in, capsys, monkeypatch):
    monkeypatch.setattr(settings(), "public_url", "https://shop.example")
    first_link.announce()
    assert "  https://shop.example/setup?token=" in capsys.readouterr().out


def test_it_is_not_printed_where_there_is_an_account_or_no_sign_in(signs_in, capsys, monkeypatch):
    monkeypatch.setattr(settings(), "auth", "auto")
    first_link.announce()
    monkeypatch.setattr(settings(), "auth", "on")
    add_person()
    first_link.announce()
    assert capsys.readouterr().out == ""
