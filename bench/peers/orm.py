"""The first design of this program: models in batches of 500. Run as `python orm.py FILE SOCKET DATABASE`."""

import csv
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, Session, SQLModel, create_engine

BATCH = 500


class Product(SQLModel, table=True):
    """The same table of products, with the columns that a file fills."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    sku: str
    sku_key: str = Field(unique=True)
    name: str
    description: str = ""
    updated_at: datetime | None = None


def main(path: str, socket: str, database: str) -> None:
    engine = create_engine(f"postgresql+psycopg2://postgres@/{database}?host={socket}&port=5432")
    began = time.perf_counter()
    load(engine, path)
    print(time.perf_counter() - began)


def load(engine: Engine, path: str) -> None:
    with Session(engine) as session:
        for batch in batches(path):
            # One statement must not contain a key twice: the last row wins.
            products = list({product.sku_key: product for product in batch}.values())
            upsert(session, products)
            session.commit()


def batches(path: str) -> Iterator[list[Product]]:
    with open(path, newline="", encoding="utf-8-sig") as file:  # noqa: PTH123 - as people write it
        rows = csv.DictReader(file)
        while batch := [product(row) for row in islice(rows, BATCH)]:
            yield batch


def product(row: dict[str, str]) -> Product:
    sku = row["sku"].strip()
    return Product(sku=sku, sku_key=sku.lower(), name=row["name"].strip(), description=row["description"])


def upsert(session: Session, products: list[Product]) -> None:
    values: list[dict[str, Any]] = [product.model_dump(exclude={"updated_at"}) for product in products]
    statement = insert(Product).values(values)
    changes = {"name": statement.excluded.name, "description": statement.excluded.description}
    session.execute(statement.on_conflict_do_update(index_elements=["sku_key"], set_=changes))


if __name__ == "__main__":
    main(*sys.argv[1:])
