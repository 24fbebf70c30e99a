"""URLs of PostgreSQL in every shape that libpq knows are read, and reach the server that writes."""

import pytest
from sqlalchemy import URL, make_url
from sqlalchemy.exc import OperationalError

from product_importer.core import db
from product_importer.core.embedded import servers as embedded
from product_importer.core.logging.redaction import redacted
from product_importer.core.outages import summary
from product_importer.core.settings.database_urls import for_sqlalchemy
from tests.application import free_port

WRITES = {"target_session_attrs": "read-write"}
BOTH = {"user": "u", "password": "p@w", "dbname": "shop"}


def arguments(url: str) -> dict:
    """Return what psycopg2 is called with."""
    made = make_url(for_sqlalchemy(url))
    return dict(made.get_dialect()().create_connect_args(made)[1])


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("u:p%40w@a,b/shop", {**BOTH, "host": "a,b", "port": ",", **WRITES}),
        ("u:p%40w@a:5432,b:5433/shop", {**BOTH, "host": "a,b", "port": "5432,5433", **WRITES}),
        (
            "u:p%40w@a,b:5433/shop?sslmode=require",
            {**BOTH, "host": "a,b", "port": ",5433", "sslmode": "require", **WRITES},
        ),
        (
            "a,b/shop?target_session_attrs=any",
            {"dbname": "shop", "host": "a,b", "port": ",", "target_session_attrs": "any"},
        ),
        ("u:p%40w@[::1]:5432,[fd00::2]/shop", {**BOTH, "host": "::1,fd00::2", "port": "5432,", **WRITES}),
        ("u:p%40w@[::1]:5433/shop", {**BOTH, "host": "::1", "port": 5433}),
        ("u:p%40w@%2Frun%2Fpostgresql/shop", {**BOTH, "host": "/run/postgresql"}),
        ("u:p%40w@%2Frun%2Fa:5433,%2Frun%2Fb/shop", {**BOTH, "host": "/run/a,/run/b", "port": "5433,", **WRITES}),
        ("u:p%40w@/shop?host=/run/postgresql&port=5433", {**BOTH, "host": "/run/postgresql", "port": "5433"}),
        ("u:p%40w@/shop?host=a:1&host=b:2", {**BOTH, "host": "a,b", "port": "1,2", **WRITES}),
        ("u:p%40w@a/shop", {**BOTH, "host": "a"}),
        ("u:p/w%3A@a:1/shop", {**BOTH, "host": "a", "port": 1, "password": "p/w:"}),
        ("a", {"host": "a"}),
        ("", {}),
    ],
)
def test_every_shape_is_read(scheme, rest, expected):
    url = f"{scheme}://{rest}"
    assert arguments(url) == expected
    assert for_sqlalchemy(for_sqlalchemy(url)) == for_sqlalchemy(url)


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("u:secret@a:x/shop", "must be a URL such as"),
        ("u:secret@[::1/shop", "must be a URL such as"),
        ("u:secret@w@a/shop", "must be a URL such as"),
        ("u:secret@a:1,b:x/shop", "a port that is no number"),
        ("u:secret@/shop?host=a,b&port=1,2,3", "another number of ports than of hosts"),
        ("u:secret@a,b/shop?nonsense=1", "the parameter “nonsense”"),
        ("u:secret@a,b/shop?target_session_attrs=standby", "the application writes"),
    ],
)
def test_what_libpq_would_refuse_is_refused_at_the_start_without_the_password(rest, reason):
    with pytest.raises(ValueError, match=reason) as raised:
        for_sqlalchemy(f"postgresql://{rest}")
    assert "secret" not in str(raised.value)


def test_a_log_shows_no_password_of_several_hosts():
    url = for_sqlalchemy("postgresql://user:secret@a:1,[::1]:2/shop")
    for shown in (url, "postgresql://user:secret@a:1,b:2/shop?target_session_attrs=read-write"):
        assert "secret" not in redacted(f"cannot connect to {shown} now")


def behind_a_missing_host(url: URL) -> str:
    """Return the URL of a server as the second of two hosts, with nothing at the first."""
    query = dict(url.query)
    hosts, ports = query.pop("host", url.host), query.pop("port", url.port or "5432")
    query |= {"host": f"127.0.0.1,{hosts}", "port": f"{free_port()},{ports}"}
    return url.set(host=None, port=None, query=query).render_as_string(hide_password=False)


def test_the_second_host_is_used_where_nothing_is_at_the_first(servers, monkeypatch):
    url = for_sqlalchemy(behind_a_missing_host(db.engine().url))
    monkeypatch.setattr(embedded, "database_url", lambda: url)
    with db.unpooled("two hosts").connect() as connection:
        assert connection.exec_driver_sql("SHOW application_name").scalar() == "two hosts"


def test_each_host_is_named_where_none_answers(monkeypatch):
    url = for_sqlalchemy(f"postgresql://127.0.0.1:{free_port()},[::1]:{free_port()}/shop?connect_timeout=2")
    monkeypatch.setattr(embedded, "database_url", lambda: url)
    with pytest.raises(OperationalError) as raised:
        db.unpooled("test").connect()
    told = summary(raised.value)
    assert told.count("connection to server at") == 2 and '"127.0.0.1"' in told and '"::1"' in told
    assert "\n" not in told
