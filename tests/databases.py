"""Databases of their own on the tests' server, and what is in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url

from product_importer.core import db
from product_importer.core.embedded import servers
from tests.conftest import as_superuser


@contextmanager
def new_database(options: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Create an empty database on the same server, and use it meanwhile, in workers too."""
    name = f"migrations_{uuid4().hex}"
    url = make_url(servers.database_url())
    assert url.username
    as_superuser(f"CREATE DATABASE {{}} OWNER {{}} {options}", name, url.username)
    engine = create_engine(url.set(database=name))
    with monkeypatch.context() as patch:
        patch.setattr(db, "engine", lambda: engine)
        patch.setattr(servers, "database_url", lambda: engine.url.render_as_string(hide_password=False))
        yield engine
    engine.dispose()
    as_superuser("DROP DATABASE {} WITH (FORCE)", name)


def contents(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT relkind::text, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
            "AND proname LIKE 'product%%' ORDER BY 1, 2"
        )
        return [(kind, name) for kind, name in found]
