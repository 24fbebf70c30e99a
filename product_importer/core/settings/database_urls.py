"""Read the URL of PostgreSQL as libpq does: several hosts, ports, IPv6 addresses and sockets in place of a host.

SQLAlchemy reads one host with one port only.
"""

import re
from typing import Any

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn
from sqlalchemy import URL, make_url
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import ArgumentError

DRIVER = "postgresql+psycopg2"
SCHEMES = (DRIVER, "postgresql", "postgres")
FORM = "postgresql://user:password@host:port/database"
# Of several servers, libpq takes the first that answers, also one that only reads.
ROLE = "target_session_attrs"
WRITES = "read-write"
ROLES = (WRITES, "primary", "any")
# As SQLAlchemy divides a URL: the password may contain everything but an @.
PARTS = re.compile(r"(?P<user>(?:[^:/?]*(?::[^@]*)?@)?)(?P<hosts>[^/?]*)(?P<rest>.*)", re.DOTALL)


def for_sqlalchemy(url: str) -> str:
    """Return a URL of PostgreSQL as SQLAlchemy reads it.

    Raises:
        ValueError: libpq would not accept it; the message holds no part of it but the name of a parameter.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        raise ValueError(f"must begin with postgresql:// or {DRIVER}://")
    try:
        read = _read(rest)
    except (psycopg2.Error, ArgumentError, ValueError):
        # Their messages may quote the URL with its password.
        raise ValueError(
            f"must be a URL such as {FORM}, with several hosts {FORM.replace(':port', ':port,host:port')}; an @ in"
            " any other place is written %40"
        ) from None
    _check(read)
    return read.render_as_string(hide_password=False)


def _read(rest: str) -> URL:
    """Read hosts and ports as libpq does, and everything else as SQLAlchemy does."""
    found = PARTS.fullmatch(rest)
    assert found, "each part may be empty"
    given = parse_dsn(f"postgresql://{found['hosts']}")
    if not given.keys() <= {"host", "port"}:
        raise ValueError("an @ that is not escaped")
    url = make_url(f"{DRIVER}://{found['user']}{found['rest']}")
    hosts, ports = given.get("host", ""), given.get("port")
    if ("," in hosts or "/" in hosts) and "host" not in url.query:
        url = url.update_query_dict({"host": hosts, **({"port": ports} if ports else {})})
    elif hosts or ports:
        url = url.set(host=hosts, port=int(ports) if ports else None)
    return _to_a_writing_server(url)


def _to_a_writing_server(url: URL) -> URL:
    """Of several hosts choose the one that writes, unless the URL says something else."""
    hosts = url.query.get("host", "")
    is_one = isinstance(hosts, str) and "," not in hosts
    return url if is_one or ROLE in url.query else url.update_query_dict({ROLE: WRITES})


def _check(url: URL) -> None:
    """Let libpq check the parameters, which are otherwise checked at the first connection."""
    role = url.query.get(ROLE, WRITES)
    if role not in ROLES:
        raise ValueError(f"{ROLE} must be {', '.join(ROLES[:-1])} or {ROLES[-1]}: the application writes")
    try:
        dialect: Any = PGDialect_psycopg2
        arguments = dialect().create_connect_args(url)[1]
    except ArgumentError:
        raise ValueError("has another number of ports than of hosts, or a port that is no number") from None
    try:
        make_dsn(**arguments)
    except psycopg2.Error as error:
        unknown = str(error).strip().rpartition(" ")[2].strip(chr(34))
        raise ValueError(f"has the parameter “{unknown}”, which PostgreSQL does not know") from None
