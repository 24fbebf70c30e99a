"""The commands `user …`: who may sign in, and as what. Passwords are chosen through set-up links only."""

from collections.abc import Callable

from sqlmodel import Session

from product_importer import migrations
from product_importer.access import service, setup_links
from product_importer.access.models import Account
from product_importer.access.schemas import Role
from product_importer.core import db
from product_importer.core.logging.logs import escaped


def add(email: str, role: str) -> None:
    """Create an account, and print the link by which its owner chooses a password.

    Raises:
        DomainError: the address is invalid, or has an account.
    """

    def made(session: Session) -> tuple[Account, str]:
        account = service.create_account(session, email, Role(role))
        return account, setup_links.make(session, account)

    migrations.migrate()
    _print_link(*db.run(made))


def make_link(email: str) -> None:
    """Print a new set-up link for a person; older ones end.

    Raises:
        DomainError: there is no such account, or it is disabled.
    """

    def made(session: Session) -> tuple[Account, str]:
        account = service.find_account(session, email)
        return account, setup_links.make(session, account)

    migrations.migrate()
    _print_link(*db.run(made))


def list_all() -> None:
    """Print one line for each account: e-mail address, role and state, separated by tabs."""
    migrations.migrate()
    for account in db.run(service.list_accounts):
        _print(account)


def set_role(email: str, role: str) -> None:
    """Give a person another role, and print the account.

    Raises:
        DomainError: there is no such account, or it is the last administrator's.
    """
    _change(email, lambda session, account: service.set_role(session, account, Role(role)))


def disable(email: str) -> None:
    """Keep a person out, and print the account.

    Raises:
        DomainError: there is no such account, or it is the last administrator's.
    """
    _change(email, service.disable)


def enable(email: str) -> None:
    """Let a person in again, and print the account.

    Raises:
        DomainError: there is no such account.
    """
    _change(email, service.enable)


def _change(email: str, change: Callable[[Session, Account], None]) -> None:
    def changed(session: Session) -> Account:
        account = service.find_account(session, email)
        change(session, account)
        return account

    migrations.migrate()
    _print(db.run(changed))


def _print(account: Account) -> None:
    print(f"{escaped(account.email)}\t{account.role}\t{_state(account)}")


def _state(account: Account) -> str:
    if account.disabled_at is not None:
        return "disabled"
    if account.password_hash is None and account.oidc_subject is None:
        return "has no password yet"
    return "enabled"


def _print_link(account: Account, link: str) -> None:
    print(f"{escaped(account.email)} can choose a password here, once, within an hour:\n{link}")
