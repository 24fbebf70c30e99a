"""Lost connections, statements alone, identifiers in statements, and the warning about superusers."""

import pickle
from uuid import UUID

import psycopg2
import pytest
from fastapi import Response
from psycopg2 import sql
from psycopg2.errors import QueryCanceled
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlmodel import Session

from product_importer import health
from product_importer.core import db
from product_importer.periodic import _migrated
from tests.conftest import superuser_url

DIED = "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally"


def test_a_server_that_dies_during_an_answer_is_a_lost_connection(servers):
    """psycopg2 then raises its most general class. This once caused answers of 500 and ended event streams."""
    engine = db.unpooled("test")

    def die(*_):
        raise psycopg2.DatabaseError(DIED)

    with engine.connect() as connection:
        event.listen(engine, "do_execute", die)
        with pytest.raises(OperationalError) as raised:
            connection.exec_driver_sql("SELECT 1")
    assert raised.value.connection_invalidated
    assert db.is_lost(raised.value)
    assert db.is_lost(psycopg2.DatabaseError(DIED))


def test_an_error_reported_by_the_server_is_not_a_lost_connection(servers):
    with db.unpooled("test").connect() as connection, pytest.raises(ProgrammingError) as raised:
        connection.exec_driver_sql("SELECT nonsense")
    assert not db.is_lost(raised.value)
    assert raised.value.orig is not None and not db.is_lost(raised.value.orig)


@pytest.mark.parametrize(
    "name", ["", "%(names)s", "import_preview_%", "Product", 'a"b', "a b", "a.b", "1", "a\n", "é"]
)
def test_only_our_own_names_become_identifiers(name):
    with pytest.raises(ValueError, match="not the name of one of our tables or columns"):
        db.identifier(name)


def test_an_identifier_is_quoted(servers):
    with db.session() as session:
        query = sql.SQL("SELECT count(*) AS {}").format(db.identifier("user"))
        assert db.execute(session, query).mappings().one() == {"user": 1}


def test_only_a_superuser_causes_a_warning(servers, monkeypatch, caplog):
    """The warning also comes after SET ROLE, because any statement can reset the role."""
    assert db.superuser_warning() is None
    assert _migrated() and "superuser" not in caplog.text
    url = superuser_url().set(drivername="postgresql+psycopg2", database=db.engine().url.database)
    engine = create_engine(url, connect_args={"options": f"-c role={db.engine().url.username}"})
    monkeypatch.setattr(db, "engine", lambda: engine)
    warning = db.superuser_warning()
    assert warning and "is a superuser" in warning and "DATABASE_URL" in warning
    [check] = [check for check in health.diagnose().checks if check.name == "postgresql"]
    assert check.ok and check.warning == warning
    assert "superuser" not in health.read_readiness(Response()).model_dump_json()
    assert _migrated() and warning in caplog.text
    engine.dispose()


def test_a_connection_that_was_lost_while_it_rested_is_replaced(servers, monkeypatch):
    monkeypatch.setattr(db, "REST_SECONDS", 0.0)
    pid = db.run(_read, "SELECT pg_backend_pid()")
    other = psycopg2.connect(superuser_url().render_as_string(hide_password=False))
    with other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid = %s", (pid,))
    other.close()
    for _ in range(db.MAX_CONNECTIONS):
        assert db.run(_read, "SELECT pg_backend_pid()") != pid


def test_a_statement_alone_has_its_limits_and_leaves_nothing_behind(servers):
    with db.session() as session:
        db.read_alone(session, 1)
        limits = text("SELECT current_setting('statement_timeout'), current_setting('jit'), :word")
        assert session.execute(limits, {"word": "50 %"}).one() == ("1s", "off", "50 %")
        assert db.raw_connection(session).info.transaction_status == TRANSACTION_STATUS_IDLE
        with pytest.raises(OperationalError) as raised:
            session.execute(text("SELECT pg_sleep(30)"))
        assert isinstance(raised.value.orig, QueryCanceled)
    # The next ones, on the same connection, are transactions of several statements again.
    with pytest.raises(ZeroDivisionError), db.session() as session:
        session.execute(text("CREATE TABLE left_behind ()"))
        raise ZeroDivisionError
    assert db.run(_read, "SELECT count(*) FROM pg_class WHERE relname = 'left_behind'") == 0
    assert db.run(_read, "SELECT extract(epoch FROM current_setting('statement_timeout')::interval)") > 1


def test_a_connection_that_is_lost_after_a_statement_alone_keeps_no_place_in_the_pool(servers, monkeypatch):
    monkeypatch.setattr(db, "MAX_CONNECTIONS", 1)
    single = db.engine.__wrapped__()
    monkeypatch.setattr(db, "engine", lambda: single)
    other = psycopg2.connect(superuser_url().render_as_string(hide_password=False))
    for _ in range(2):
        with db.session() as session:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            session.execute(text("SELECT 1"))
        with db.session() as session:
            db.read_alone(session, 5)
            pid = session.execute(text("SELECT pg_backend_pid()")).scalar()
            with other, other.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
        monkeypatch.setattr(db, "REST_SECONDS", 0.0)
    assert db.run(_read, "SELECT 1") == 1
    other.close()
    single.dispose()


def _read(session: Session, statement: str) -> int:
    return int(session.connection().exec_driver_sql(statement).scalar() or 0)


def test_ids_are_read_as_uuids(servers):
    """PostgreSQL takes each spelling; a missing one stays None."""
    given = UUID("a9ce1f41-c70a-46d7-9eb8-6d5b0077aca1")
    with db.session() as session:
        row = session.execute(
            text("SELECT CAST(:id AS uuid), NULL::uuid, ARRAY[CAST(:id AS uuid), NULL]"), {"id": given.hex}
        )
        found = tuple(row.one())
    assert found == (given, None, [given, None])
    assert type(found[0]) is UUID and pickle.loads(pickle.dumps(found[0])) == given
