"""Statements contain only constant text; user input is passed as parameters (docs/decisions/0019)."""

from pathlib import Path

import pytest

from tests.statement_texts import Module

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("product_importer", "alembic")

# Allowed expressions by file, each with its reason.
ALLOWED = {
    # The only place that makes identifiers. It accepts only names of our tables and columns.
    ("product_importer/core/db.py", "sql.Identifier"),
}


def violations_of(path: Path) -> list[str]:
    name = path.relative_to(ROOT).as_posix()
    violations = sorted(set(Module(path.read_text()).violations()))
    return [f"{name}:{line}: {text}" for line, text in violations if (name, text) not in ALLOWED]


def test_no_statement_contains_user_input():
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(paths) > 100
    violations = [violation for path in paths for violation in violations_of(path)]
    assert not violations, "pass it as a parameter, see docs/decisions/0019:\n" + "\n".join(violations)


def test_allowed_exceptions_still_exist():
    for name, text in ALLOWED:
        found = [text for _, text in Module((ROOT / name).read_text()).violations()]
        assert text in found, f"{name} has no {text} any more: take it off the list"


FORBIDDEN = {
    "a literal written by psycopg2": "sql.SQL('SELECT {}').format(sql.Literal(name))",
    "the same by its full name": "psycopg2.sql.Literal(name)",
    "an identifier that is not checked": "sql.SQL('DROP TABLE {}').format(sql.Identifier(name))",
    "an import of the function": "from psycopg2.sql import Literal",
    "an import by another name": "from psycopg2 import sql as s",
    "an f-string": "cursor.execute(f'SELECT {name}')",
    "an f-string assigned to a name": "query = f'SELECT {name}'; cursor.execute(query)",
    "an f-string among others": "query = 'SELECT 1'; query = f'SELECT {name}'; cursor.execute(query, {})",
    "an augmented assignment": "query = 'SELECT 1'; query += name; cursor.execute(query)",
    "text that depends on itself": "query = 'SELECT '; query = query + name; cursor.execute(query)",
    "an argument": "cursor.execute(name)",
    "an argument by keyword": "cursor.execute(vars={}, query=name)",
    "format": "session.execute(text('SELECT {}'.format(name)))",
    "format of a constant": "connection.exec_driver_sql(QUERY.format(name=name))",
    "percent": "cursor.execute('SELECT %s' % name)",
    "joined strings": "op.execute('SELECT ' + name)",
    "joined lists": "sql.SQL(', '.join(name))",
    "a part made of a string": "COMPOSED.format(x=sql.SQL(name))",
    "a part of a query": "select(literal_column(name))",
    "a cursor by another name": "with connection.cursor() as c: c.execute(name)",
    "a cursor without a name": "connection.cursor().execute(name)",
    "a function in a function": "run(lambda: cursor.execute(name))",
}
ACCEPTED = {
    "text": "cursor.execute('SELECT %(name)s', {'name': name})",
    "a constant": "cursor.execute(QUERY)",
    "a constant of another module": "cursor.execute(templates.QUERY)",
    "a choice of constants": "sql.SQL(templates.MODES[name] if name else '')",
    "an f-string of constants": "session.execute(text(f'SET LOCAL statement_timeout = {SECONDS}'))",
    "a composition": "cursor.execute(COMPOSED.format(identifier(name)), {})",
    "a composition assigned to a name": "query = sql.SQL('SELECT {}').format(name); cursor.copy_expert(query, name)",
    "a parameter annotated as composed": "cursor.execute(declared.format(x=name))",
    "one of several constants": "for event in ('a', 'b'): op.execute(f'DROP TRIGGER {event}')",
    "a query built by SQLAlchemy": "session.execute(select(Product).where(Product.name == name))",
    "calls that run no statement": "rx.text(name), Literal['a'], pipeline.execute()",
}


def module_with(statement: str) -> Module:
    return Module(f"""
COMPOSED = sql.SQL("SELECT {{}}")
QUERY = text(f"SELECT {{', '.join(COUNTS)}}")

def run(name: str, declared: sql.SQL):
    {statement}
""")


@pytest.mark.parametrize("statement", FORBIDDEN.values(), ids=FORBIDDEN)
def test_text_that_is_not_constant_is_found(statement):
    assert list(module_with(statement).violations())


@pytest.mark.parametrize("statement", ACCEPTED.values(), ids=ACCEPTED)
def test_constant_text_is_allowed(statement):
    assert not list(module_with(statement).violations())
