"""Find in the code the values that documents list."""

from product_importer.api import api
from product_importer.commands.cli import cli
from product_importer.core.outbox import EventType
from product_importer.core.problem_types import ProblemType
from product_importer.imports.error_codes import ImportErrorCode, RowErrorCode
from product_importer.imports.models import ImportPhase, ImportStatus
from product_importer.imports.read_warnings import WarningCode


def commands() -> set[str]:
    """Return the names of the command line's commands."""
    return set(cli.commands)


def statuses() -> set[str]:
    """Return the statuses of an import."""
    return set(ImportStatus)


def phases() -> set[str]:
    """Return the phases of an import."""
    return set(ImportPhase)


def event_types() -> set[str]:
    """Return the types of events that webhooks receive."""
    return {*EventType, "webhook_test"}


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


def warning_codes() -> set[str]:
    """Return the codes of what was assumed about a file."""
    return set(WarningCode)


def problem_types() -> set[str]:
    """Return the last words of the types of problem documents."""
    return set(ProblemType)
