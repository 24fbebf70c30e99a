"""The values that documents list, each list by one function that finds them in the code."""

import ast
import re
from collections.abc import Iterator
from typing import Any, get_args

from product_importer.__main__ import COMMANDS
from product_importer.api import api
from product_importer.imports import schemas
from product_importer.webhooks.schemas import EVENT_TYPES
from tests.docs.documents import ROOT

PACKAGE = ROOT / "product_importer"


def commands() -> set[str]:
    """Return the names of the command line's commands."""
    return set(COMMANDS)


def statuses() -> set[str]:
    """Return the statuses of an import."""
    return set(get_args(schemas.Status))


def phases() -> set[str]:
    """Return the phases of an import."""
    return set(get_args(schemas.Phase))


def event_types() -> set[str]:
    """Return the types of events that webhooks receive."""
    return {*EVENT_TYPES, "webhook_test"}


def routes() -> set[str]:
    """Return each method and path of the API: `GET /api/jobs`."""
    paths = api.openapi()["paths"]
    return {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}


def codes() -> set[str]:
    """Return the codes that the import's modules give to rejected rows and failed imports."""
    found = set(_codes())
    assert {"no_sku", "unclosed_quote", "duplicate", "undecodable", "gave_up", "row_sum"} <= found, "codes() is blind"
    return found


def problem_types() -> set[str]:
    """Return the last words of the types of problem documents."""
    found = set(_kinds())
    known = {"invalid-csv-header", "not-csv", "too-large", "method-not-allowed"}
    assert known <= found, "problem_types() is blind"
    return found


def _codes() -> Iterator[str]:
    for path in sorted((PACKAGE / "imports").rglob("*.py")):
        text = path.read_text()
        # In SQL, where a row's error is made: `SELECT job, line, 'code', …`.
        yield from re.findall(r"\bline, '(\w+)',", text)
        for node in ast.walk(ast.parse(text)):
            yield from filter(None, map(_literal, _code_arguments(node)))


def _code_arguments(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions of a node that hold a code."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
        position = {"RowError": 1, "Unreadable": 0, "end": 1}.get(name or "")
        if position is not None:
            yield from node.args[position : position + 1]
        yield from (word.value for word in node.keywords if word.arg in ("code", "error_code"))
    # `return "code", "Reason."`, as the row validation does.
    if isinstance(node, ast.FunctionDef) and node.name == "_fault":
        for inner in ast.walk(node):
            if isinstance(inner, ast.Return) and isinstance(inner.value, ast.Tuple):
                yield inner.value.elts[0]
    if isinstance(node, ast.Assign):
        yield from _assigned(node)


def _assigned(node: ast.Assign) -> Iterator[ast.expr]:
    """Yield the values assigned to `….error_code`, alone or in a list of targets, and the keys of `REASONS`."""
    if getattr(node.targets[0], "id", None) == "REASONS" and isinstance(node.value, ast.Dict):
        yield from filter(None, node.value.keys)
    for target in node.targets:
        pairs: list[tuple[ast.expr, ast.expr]] = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=False))
        for name, value in pairs:
            if isinstance(name, ast.Attribute) and name.attr == "error_code":
                yield value


def _kinds() -> Iterator[str]:
    for path in sorted(PACKAGE.rglob("*.py")):
        # In a page's code a kind is that of a button.
        if "import reflex" in path.read_text():
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            yield from filter(None, map(_literal, _kind_expressions(node)))


def _kind_expressions(node: ast.AST) -> Iterator[ast.expr | None]:
    if isinstance(node, ast.Call):
        yield from (word.value for word in node.keywords if word.arg == "kind")
        if getattr(node.func, "id", None) == "problem":
            yield from node.args[1:2]
    if isinstance(node, ast.Dict):
        yield from (value for key, value in zip(node.keys, node.values, strict=True) if _literal(key) == "kind")
    if isinstance(node, ast.Assign) and [getattr(target, "id", None) for target in node.targets] == ["kind"]:
        yield node.value


def _literal(node: Any) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
