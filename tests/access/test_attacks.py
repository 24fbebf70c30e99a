"""Attacks from outside on a running web process, with sign-in on."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func
from sqlmodel import Session, col, delete, select, update

from product_importer.access import service, sessions
from product_importer.access.models import Account, AccountSession, ApiToken
from product_importer.access.schemas import Role
from product_importer.access.secrets import digest_of
from product_importer.core import db
from product_importer.core.storage import storage
from tests.access.people import add_person, add_token, bearer, sign_in
from tests.access.records import entries
from tests.application import Application
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

FORM = "application/x-www-form-urlencoded"
BOUNDARY = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
BEGIN = PART + b"sku,name,description\r\nLATE,x,y\r\n"
END = b"--b--\r\n"
# Longer ago than the precision with which uses are stored.
EARLIER = func.now() - timedelta(hours=1)


@contextmanager
def begun(served: Application, path: str, media: str, body: bytes, length: int, headers: dict[str, str]) -> Iterator:
    """Send the beginning of a request, and leave the rest open."""
    lines = {"Host": f"localhost:{served.port}", "Content-Type": media, "Content-Length": str(length), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection(("127.0.0.1", served.port), 20) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        yield connection


def was_used(session: Session, secret: str) -> bool:
    """Whether a session or token has been let in with a request."""
    used = (
        select(each.id).where(
            col(each.digest) == digest_of(secret), col(each.last_used_at) > func.now() - timedelta(minutes=30)
        )
        for each in (AccountSession, ApiToken)
    )
    return any(session.scalar(one) is not None for one in used)


def ended(session: Session, account: Account, secret: str) -> None:
    sessions.end(session, digest_of(secret))


def disabled(session: Session, account: Account, secret: str) -> None:
    service.disable(session, session.get_one(Account, account.id))


def made_viewer(session: Session, account: Account, secret: str) -> None:
    session.execute(update(Account).where(col(Account.id) == account.id).values(role=Role.VIEWER))


def deleted(session: Session, account: Account, secret: str) -> None:
    session.execute(delete(ApiToken).where(col(ApiToken.digest) == digest_of(secret)))


@pytest.mark.parametrize(
    ("by_token", "change", "status"),
    [
        (False, ended, 401),
        (False, disabled, 401),
        (False, made_viewer, 403),
        (True, deleted, 401),
        (True, disabled, 401),
        (True, made_viewer, 403),
        (False, None, 202),
        (True, None, 202),
    ],
)
def test_an_upload_does_not_outlive_who_began_it(
    by_token: bool, change: Callable[[Session, Account, str], None] | None, status: int, served: Application, database
):
    """The file arrives slowly, and its sender is kept out before its last byte: no import begins."""
    person = add_person(Role.EDITOR)
    secret = add_token(person, "import") if by_token else sign_in(person)
    db.run(lambda session: session.execute(update(AccountSession).values(last_used_at=EARLIER)))
    headers = bearer(secret) if by_token else {"Cookie": f"pi_session={secret}"}
    before = set(storage().keys())
    with begun(served, "/api/upload-csv", BOUNDARY, BEGIN, len(BEGIN + END), headers) as connection:
        wait_for(lambda: db.run(was_used, secret), 20, "the sender is let in")
        if change is not None:
            db.run(change, person, secret)
        connection.sendall(END)
        assert connection.recv(12) == f"HTTP/1.1 {status}".encode()
    assert bool(entries("import_started")) == (status == 202)
    assert (set(storage().keys()) == before) == (status != 202)


@pytest.mark.parametrize("path", ["/sign-in", "/setup"])
def test_strangers_who_hang_up_leave_nothing_in_the_log(path: str, served: Application, database):
    before = served.output.read_text()
    for _ in range(3):
        with begun(served, path, FORM, b"email=", 50, {}):
            pass
    # Checked after the ones before, since it is the same process.
    answer = served.client.post("/sign-in", data={"email": "a@shop.example", "password": "wrong"})
    assert answer.status_code == 401
    assert served.output.read_text() == before


def test_a_password_typed_as_an_email_address_is_not_recorded(served: Application, database):
    for typed in ("violet tractor hums adagio", "Tr4ctor!hums", "mina@shop.example"):
        served.client.post("/sign-in", data={"email": typed, "password": "wrong"})
    assert [entry.object_name for entry in entries("sign_in_failed")] == [None, None, "mina@shop.example"]
