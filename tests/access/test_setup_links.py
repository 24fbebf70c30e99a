"""Set-up links work once, for an hour, for one person or for the first account."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlmodel import col, select, update

from product_importer.access import passwords, service, sessions, setup_links
from product_importer.access.models import Account, AuditEvent, SetupLink
from product_importer.access.schemas import Role
from product_importer.access.secrets import digest_of
from product_importer.core import db
from product_importer.core.errors import NotFound, Unprocessable
from tests.access.people import PASSWORD, add_person, sign_in

EMAIL = "mina@shop.example"


def _token(link: str | None) -> str:
    assert link is not None
    return link.partition("/setup?token=")[2]


def _make(account: Account) -> str:
    return _token(db.run(lambda session: setup_links.make(session, service.read_account(session, account.id))))


def _age(minutes: int) -> None:
    older = update(SetupLink).values(expires_at=col(SetupLink.expires_at) - timedelta(minutes=minutes))
    db.run(lambda session: session.execute(older))


def _refuse(token: str) -> None:
    with pytest.raises(NotFound):
        db.run(setup_links.find, token)
    with pytest.raises(NotFound):
        db.run(setup_links.use, token, EMAIL, PASSWORD)


def test_the_first_link_makes_an_administrator_once(database):
    token = _token(db.run(setup_links.make_first))
    assert db.run(setup_links.find, token) is None
    made = db.run(setup_links.use, token, EMAIL, PASSWORD)
    assert (made.email, made.role) == (EMAIL, Role.ADMIN)
    assert db.run(service.check_password, EMAIL, PASSWORD).id == made.id
    _refuse(token)
    assert db.run(setup_links.make_first) is None


def test_links_of_several_processes_are_valid_until_one_is_used(database):
    first, second = (_token(db.run(setup_links.make_first)) for _ in range(2))
    db.run(setup_links.use, first, EMAIL, PASSWORD)
    _refuse(second)


def test_the_first_link_ends_with_any_account(database):
    token = _token(db.run(setup_links.make_first))
    add_person()
    _refuse(token)


def test_a_link_lasts_an_hour(database):
    person = add_person()
    token = _make(person)
    _age(59)
    found = db.run(setup_links.find, token)
    assert found is not None and found.id == person.id
    _age(2)
    _refuse(token)
    db.run(setup_links.delete_expired)
    assert db.run(lambda session: session.scalars(select(SetupLink)).all()) == []


def test_a_new_link_ends_the_older_ones_of_its_person_only(database):
    person, other = add_person(), add_person()
    old, others = _make(person), _make(other)
    new = _make(person)
    _refuse(old)
    db.run(setup_links.use, new, "", PASSWORD)
    db.run(setup_links.use, others, "", PASSWORD)


def test_a_link_sets_the_password_of_its_person_and_ends_sessions(database):
    person = add_person(Role.VIEWER, password="an old and forgotten password")
    secret = sign_in(person)
    token = _make(person)
    # Who has the link chooses neither person nor role.
    db.run(setup_links.use, token, EMAIL, PASSWORD)
    assert db.run(sessions.find, secret) is None
    assert db.run(service.check_password, person.email, PASSWORD).role == Role.VIEWER
    _refuse(token)
    changed = db.run(lambda session: session.scalars(select(AuditEvent).order_by(col(AuditEvent.id).desc())).first())
    assert (changed.action, changed.actor_id, changed.object_id) == ("password_changed", person.id, person.id)


@pytest.mark.parametrize(("email", "password"), [("nonsense", PASSWORD), (EMAIL, "short"), (EMAIL, EMAIL)])
def test_a_link_stays_valid_when_what_was_typed_is_refused(database, email, password):
    token = _token(db.run(setup_links.make_first))
    with pytest.raises(Unprocessable):
        db.run(setup_links.use, token, email, password)
    db.run(setup_links.use, token, EMAIL, PASSWORD)


def test_a_disabled_person_cannot_use_a_link(database):
    person = add_person()
    token = _make(person)
    # As if it was made while the account was being disabled.
    db.run(lambda session: session.execute(update(Account).values(disabled_at=col(Account.created_at))))
    _refuse(token)


def test_only_a_digest_of_a_link_is_stored(database):
    token = _make(add_person())
    [stored] = db.run(lambda session: session.scalars(select(SetupLink)).all())
    assert stored.digest == digest_of(token) and len(token) >= 43


@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_uses_at_once_one_wins(database, monkeypatch, is_first):
    person = None if is_first else add_person()
    links = [_token(db.run(setup_links.make_first)) for _ in range(2)] if person is None else [_make(person)] * 2
    barrier, make_hash = Barrier(2), passwords.make_hash

    def together(*given: str) -> str:
        # Both have found a valid link.
        barrier.wait(60)
        return make_hash(*given)

    monkeypatch.setattr(passwords, "make_hash", together)

    def use(number: int) -> bool:
        try:
            db.run(setup_links.use, links[number], f"person{number}@shop.example", f"{PASSWORD} {number}")
        except NotFound:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(use, range(2))) == [False, True]
    assert len(db.run(service.list_accounts)) == 1
