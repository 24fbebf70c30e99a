"""What stopped a statement is named: a deadlock is one, and a server that only reads is no internal error."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from psycopg2.errors import DeadlockDetected
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from product_importer.commands.base import _reason
from product_importer.core import db, outages

LOCK = "SELECT pg_advisory_xact_lock(%s)"


def lock_both(engine: Engine, keys: tuple[int, int], both_hold_one: Barrier) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(LOCK, (keys[0],))
        both_hold_one.wait(30)
        connection.exec_driver_sql(LOCK, (keys[1],))


@pytest.fixture
def deadlock(servers) -> OperationalError:
    """The error of one of two transactions that wait for each other."""
    barrier, engine = Barrier(2), db.unpooled("deadlock")
    with ThreadPoolExecutor(2) as pool:
        works = [pool.submit(lock_both, engine, keys, barrier) for keys in ((-71, -72), (-72, -71))]
        [error] = [error for work in works if (error := work.exception()) is not None]
    assert isinstance(error, OperationalError) and isinstance(error.orig, DeadlockDetected)
    return error


def test_a_deadlock_is_called_a_deadlock(deadlock):
    for said in (outages.unavailable(deadlock).detail, outages.title(deadlock), _reason(deadlock)):
        assert said and "deadlock" in said and "does not answer" not in said


def test_a_server_that_only_reads_is_an_outage_and_its_connection_is_given_up(servers):
    """As after a fail-over of which the address of the server has not heard yet."""
    engine = db.unpooled("reader")
    with engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        with pytest.raises(OperationalError) as raised:
            connection.exec_driver_sql("CREATE TEMPORARY TABLE nothing_new ()")
            connection.exec_driver_sql("INSERT INTO event_batch DEFAULT VALUES")
    assert raised.value.connection_invalidated and db.is_lost(raised.value)
    assert "only reads" in outages.unavailable(raised.value).detail
