"""Keep stored secrets encrypted with the first key, and find those that no key opens."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, text
from sqlmodel import Session, col, select

from product_importer.core import advisory_locks, secrets
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.core.secrets import Keyring, SecretUnreadable
from product_importer.webhooks.models import Webhook

# In one transaction, so that nobody waits long for a webhook's row.
MAX_WEBHOOKS = 100

FORGET_EXPIRED = text(
    "UPDATE webhook SET previous_secret = NULL, previous_secret_until = NULL WHERE previous_secret_until < now()"
)


@dataclass
class Survey:
    """How many webhooks there are, how many of them the first key did not encrypt, and which no key opens."""

    webhooks: int = 0
    outdated: int = 0
    unreadable: list[UUID] = field(default_factory=list)


def encrypt(session: Session) -> None:
    """Encrypt the secrets of a batch of webhooks with the first key, and forget old secrets that have expired."""
    if not advisory_locks.try_to_hold(session, AdvisoryLock.ENCRYPT_SECRETS):
        return
    session.execute(FORGET_EXPIRED)
    keyring = secrets.keyring()
    if not keyring.ids:
        return
    outdated = or_(_is_outdated(col(Webhook.secret), keyring), _is_outdated(col(Webhook.previous_secret), keyring))
    # In random order: those that turn out to be damaged must not keep others waiting for ever.
    batch = select(Webhook).where(outdated).order_by(func.random()).limit(MAX_WEBHOOKS)
    for webhook in session.scalars(batch.with_for_update(skip_locked=True)):
        webhook.secret = _encrypted(webhook.secret, keyring)
        webhook.previous_secret = webhook.previous_secret and _encrypted(webhook.previous_secret, keyring)


def survey(session: Session) -> Survey:
    """Look through the secrets of all webhooks."""
    keyring, found = secrets.keyring(), Survey()
    is_valid = or_(col(Webhook.previous_secret_until).is_(None), col(Webhook.previous_secret_until) > func.now())
    live = select(Webhook, is_valid).where(col(Webhook.deleted_at).is_(None)).order_by(col(Webhook.id))
    for webhook, has_previous in session.execute(live):
        stored = [webhook.secret, *filter(None, [webhook.previous_secret if has_previous else None])]
        found.webhooks += 1
        found.outdated += not all(one.startswith(keyring.prefix) for one in stored)
        if not all(_is_readable(one, keyring) for one in stored):
            found.unreadable.append(webhook.id)
    return found


def _is_outdated(column: Any, keyring: Keyring) -> ColumnElement[bool]:
    """Return the condition that a secret is neither empty nor encrypted with the first key, but could be."""
    first, *others = keyring.ids
    by_another = [column.startswith(f"{secrets.PREFIX}{other}:") for other in others if other != first]
    return and_(column != "", or_(~column.startswith(secrets.PREFIX), *by_another))


def _encrypted(stored: str, keyring: Keyring) -> str:
    """Return a stored secret as the first key encrypts it, or as it is if no key opens it."""
    if not stored or stored.startswith(keyring.prefix):
        return stored
    try:
        return keyring.encrypt(keyring.decrypt(stored))
    except SecretUnreadable:
        return stored


def _is_readable(stored: str, keyring: Keyring) -> bool:
    try:
        return bool(keyring.decrypt(stored))
    except SecretUnreadable:
        return False
