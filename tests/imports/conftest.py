"""Helpers and fixtures for tests of imports."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlmodel import col, select

from product_importer.core import db
from product_importer.imports import tasks
from product_importer.imports.models import ImportRowError
from product_importer.imports.options import parse
from product_importer.imports.progress import current
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload.receiver import IncomingUpload


def execute(statement: str, *values: object) -> None:
    with db.engine().begin() as connection:
        connection.exec_driver_sql(statement, values)


def upload(content: bytes, filename: str = "catalogue.csv", **options: str) -> UUID:
    """Upload a file, and return the id of its import."""
    with IncomingUpload(filename) as incoming:
        incoming.write(content)
        return incoming.accept(parse(options)).id


@pytest.fixture
def run_import(database: None) -> Callable[..., ImportRead]:
    """Import a file in this process, and return the ended import."""

    def run(content: bytes | str, filename: str = "catalogue.csv", **options: str) -> ImportRead:
        job_id = upload(content.encode() if isinstance(content, str) else content, filename, **options)
        tasks.run_import(str(job_id))
        return current(job_id)

    return run


@pytest.fixture
def products(database: None) -> Callable[[], dict[str, tuple[str, str]]]:
    """Return the catalogue: SKU to name and description."""

    def read() -> dict[str, tuple[str, str]]:
        with db.engine().connect() as connection:
            rows = connection.exec_driver_sql("SELECT sku, name, description FROM product")
            return {sku: (name, description) for sku, name, description in rows}

    return read


def row_errors(job_id: UUID) -> list[tuple[int, str]]:
    """Return the line and code of each row that was not imported, in order."""
    with db.session() as session:
        found = session.scalars(
            select(ImportRowError).where(ImportRowError.job_id == job_id).order_by(col(ImportRowError.line))
        )
        return [(error.line, error.code) for error in found]
