"""Accounts: who is made, changed and kept out, and that somebody can always manage them."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlmodel import Session, col, select, update

from product_importer.access import principal, service, sessions, setup_links, throttle
from product_importer.access.models import Account, AccountSession, AuditEvent, SetupLink
from product_importer.access.schemas import Role
from product_importer.access.secrets import digest_of
from product_importer.core import db
from product_importer.core.errors import Conflict, DomainError, TooMany, Unauthenticated, Unprocessable
from tests.access.people import PASSWORD, add_person, sign_in

NEW = "quite another long secret"


def _change(change, account: Account, *values):
    """Call a function of the service with the account as it is stored now."""
    return db.run(lambda session: change(session, service.read_account(session, account.id), *values))


def _actions(account: Account) -> list[str]:
    found = select(AuditEvent.action).where(col(AuditEvent.object_id) == account.id).order_by(col(AuditEvent.id))
    return db.run(lambda session: list(session.scalars(found)))


def _count(entity) -> int:
    return db.run(lambda session: len(session.scalars(select(entity)).all()))


@pytest.mark.parametrize(
    "text",
    ["", "mina", "@shop.example", "mina@", "mina@@shop", "mina shop@x", "mina@shop..example", "mina@.example",
     "a\0@b", "mina@shop.example\nx", "mina@shop\u202e.example", "m" * 65 + "@shop.example", "m@" + "x" * 253],
)  # fmt: skip
def test_what_is_no_email_address_is_refused(database, text):
    with pytest.raises(Unprocessable) as refused:
        db.run(service.create_account, text, Role.VIEWER)
    assert [error["field"] for error in refused.value.extra["errors"]] == ["email"]


def test_an_address_has_one_account_however_it_is_written(database):
    made = db.run(service.create_account, "  Mina.Maier+x@Shop.Example ", Role.VIEWER)
    assert (made.email, made.role) == ("Mina.Maier+x@Shop.Example", "viewer")
    assert db.run(service.find_account, "mina.maier+X@SHOP.example").id == made.id
    with pytest.raises(Conflict):
        db.run(service.create_account, "MINA.MAIER+x@shop.example", Role.ADMIN)
    assert _actions(made) == ["account_created"]


def test_people_of_a_provider_are_found_too_and_twins_by_their_id(database):
    person = add_person()
    twin = Account(email=person.email, email_key=person.email, role=Role.VIEWER, oidc_issuer="x", oidc_subject="1")
    db.run(lambda session: session.add(twin))
    with pytest.raises(Conflict) as refused:
        db.run(service.find_account, person.email)
    assert str(person.id) in refused.value.detail and str(twin.id) in refused.value.detail
    assert db.run(service.find_account, str(twin.id)).id == twin.id
    with pytest.raises(Conflict, match="provider"):
        _change(setup_links.make, twin)
    # The provider's account has no password to guess.
    with pytest.raises(Unauthenticated):
        db.run(service.check_password, person.email, PASSWORD)


def test_a_hash_of_older_parameters_is_replaced_at_the_sign_in(database):
    person = add_person()
    old = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8192),)).hash(PASSWORD)
    db.run(lambda session: session.execute(update(Account).values(password_hash=old)))
    db.run(service.check_password, person.email, PASSWORD)
    renewed = db.run(service.read_account, person.id).password_hash
    assert renewed is not None and "m=65536" in renewed


def test_an_account_ends_the_links_to_the_first(database):
    db.run(setup_links.make_first)
    db.run(service.create_account, "mina@shop.example", Role.VIEWER)
    assert _count(SetupLink) == 0
    assert db.run(setup_links.make_first) is None


@pytest.mark.parametrize(
    "change", [service.disable, lambda session, one: service.set_role(session, one, Role.EDITOR)]
)
def test_the_last_administrator_stays(database, change):
    last, disabled = add_person(Role.ADMIN), add_person(Role.ADMIN)
    _change(service.disable, disabled)
    with pytest.raises(Conflict, match="last administrator"):
        _change(change, last)
    _change(service.enable, disabled)
    _change(change, last)
    with pytest.raises(Conflict):
        _change(change, disabled)
    # To be disabled already is no reason.
    _change(service.set_role, last, Role.VIEWER)


def test_two_administrators_cannot_disable_each_other_at_once(database):
    both = [add_person(Role.ADMIN), add_person(Role.ADMIN)]
    barrier = Barrier(2)

    def disable(account: Account) -> bool:
        def run(session: Session) -> None:
            found = service.read_account(session, account.id)
            barrier.wait(60)
            service.disable(session, found)

        try:
            db.run(run)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(disable, both)) == [False, True]


def test_a_disabled_person_loses_sessions_and_links_and_gets_none(database):
    person = add_person(password=PASSWORD)
    sign_in(person)
    _change(setup_links.make, person)
    _change(service.disable, person)
    assert (_count(AccountSession), _count(SetupLink)) == (0, 0)
    with pytest.raises(Conflict, match="disabled"):
        _change(setup_links.make, person)
    with pytest.raises(Unauthenticated):
        db.run(service.check_password, person.email, PASSWORD)
    _change(service.enable, person)
    assert db.run(service.check_password, person.email, PASSWORD).id == person.id
    assert _actions(person) == ["setup_link_made", "account_disabled", "account_enabled"]


def test_the_same_answer_for_whoever_cannot_enter(database):
    person, invited = add_person(password=PASSWORD), add_person()
    answers = set()
    for email, password in (
        (person.email, "wrong"),
        (invited.email, PASSWORD),
        ("nobody@shop.example", PASSWORD),
        ("a\0\ud800", PASSWORD),
        ("", ""),
    ):
        with pytest.raises(Unauthenticated) as refused:
            db.run(service.check_password, email, password)
        answers.add((refused.value.detail, refused.value.title))
    assert answers == {(service.WRONG, "Not signed in")}


def test_a_password_is_changed_by_who_knows_it_and_other_sessions_end(database):
    person = add_person(password=PASSWORD)
    kept, ended = sign_in(person), sign_in(person)
    _change(setup_links.make, person)
    digest = digest_of(kept)
    for old, new, field in ((NEW, NEW, "old"), (PASSWORD, "short", "new"), (PASSWORD, person.email, "new")):
        with pytest.raises(Unprocessable) as refused:
            db.run(service.change_password, person.id, old, new, digest)
        assert [error["field"] for error in refused.value.extra["errors"]] == [field]
    db.run(service.change_password, person.id, PASSWORD, NEW, digest)
    assert db.run(sessions.find, kept) is not None and db.run(sessions.find, ended) is None
    assert _count(SetupLink) == 0
    assert db.run(service.check_password, person.email, NEW).id == person.id
    with pytest.raises(Unauthenticated):
        db.run(service.check_password, person.email, PASSWORD)


def test_who_has_a_session_cannot_guess_the_old_password_without_limit(database):
    person = add_person(password=PASSWORD)
    with principal.acting_as(sessions.person_of(person, address="203.0.113.9")):
        refusals = [_refusal(person, f"guess {number}") for number in range(throttle.BY_PERSON.amount + 1)]
    assert refusals == [Unprocessable] * throttle.BY_PERSON.amount + [TooMany]


def _refusal(person: Account, old: str) -> type[DomainError]:
    with pytest.raises(DomainError) as refused:
        db.run(service.change_password, person.id, old, NEW, None)
    return type(refused.value)


def test_the_password_of_a_provider_cannot_be_changed(database):
    with pytest.raises(Conflict, match="provider"):
        db.run(service.change_password, add_person().id, PASSWORD, NEW, None)
