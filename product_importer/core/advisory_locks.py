"""PostgreSQL's advisory locks: their numbers, and taking one for a transaction."""

from enum import IntEnum

from sqlalchemy import func
from sqlmodel import Session, select


class AdvisoryLock(IntEnum):
    """The number of each lock. They never change: processes of an older version may run at the same time."""

    MIGRATE = 7_301_000
    RECONCILE_IMPORTS = 7_301_001
    INDEX_CATALOGUE = 7_301_002
    RECONCILE_WEBHOOKS = 7_301_003
    # The first of two numbers; the second is a hash of the idempotency key.
    IDEMPOTENCY_KEY = 7_301_004
    ADMIT_IMPORT = 7_301_005
    CLAIM_LARGE_IMPORT = 7_301_006
    WRITE_RANGE = 7_301_007
    ENCRYPT_SECRETS = 7_301_008
    ADMIT_DRAFT = 7_301_009
    INDEX_UNDO = 7_301_021


# Taken in the maintenance database. Locks belong to a database, so the number may equal one above.
HAND_OVER_DATABASE = 7_301_001


def hold(session: Session, lock: AdvisoryLock) -> None:
    """Wait for the lock and hold it until the transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(lock.value)))


def try_to_hold(session: Session, lock: AdvisoryLock) -> bool:
    """Hold the lock until the transaction ends, unless another transaction holds it; return whether it is held."""
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(lock.value))))
