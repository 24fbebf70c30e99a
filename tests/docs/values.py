"""The values that documents list, each list by one function that finds them in the code."""

import ast
from collections.abc import Iterator
from typing import Any

from product_importer.__main__ import COMMANDS
from product_importer.api import api
from product_importer.imports.error_codes import ImportErrorCode, RowErrorCode
from product_importer.imports.models import ImportPhase, ImportStatus
from product_importer.webhooks.schemas import EVENT_TYPES
from tests.docs.documents import ROOT

PACKAGE = ROOT / "product_importer"


def commands() -> set[str]:
    """Return the names of the command line's commands."""
    return set(COMMANDS)


def statuses() -> set[str]:
    """Return the statuses of an import."""
    return set(ImportStatus)


def phases() -> set[str]:
    """Return the phases of an import."""
    return set(ImportPhase)


def event_types() -> set[str]:
    """Return the types of events that webhooks receive."""
    return {*EVENT_TYPES, "webhook_test"}


def routes() -> set[str]:
    """Return each method and path of the API: `GET /api/jobs`."""
    paths = api.openapi()["paths"]
    return {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}


def row_codes() -> set[str]:
    """Return the codes of rows that became no product."""
    return set(RowErrorCode)


def import_codes() -> set[str]:
    """Return the codes of failed imports."""
    return set(ImportErrorCode)


def problem_types() -> set[str]:
    """Return the last words of the types of problem documents."""
    found = set(_kinds())
    known = {"invalid-csv-header", "not-csv", "too-large", "method-not-allowed"}
    assert known <= found, "problem_types() is blind"
    return found


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
