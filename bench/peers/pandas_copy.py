"""pandas with the COPY method of its documentation, and an upsert: `python pandas_copy.py FILE SOCKET DATABASE`.

See «Insertion method» in its user guide on `to_sql`.
"""

import csv
import io
import sys
import time

import pandas
from sqlalchemy import create_engine, text

CHUNK = 50_000
UPSERT = """
INSERT INTO product AS held (id, sku, sku_key, name, description)
SELECT DISTINCT ON (lower(sku) COLLATE "C") gen_random_uuid(), sku, lower(sku), name, description FROM staging
ORDER BY lower(sku) COLLATE "C", place DESC
ON CONFLICT (sku_key) DO UPDATE SET name = excluded.name, description = excluded.description
WHERE (held.name, held.description) IS DISTINCT FROM (excluded.name, excluded.description)
"""


def main(path: str, socket: str, database: str) -> None:
    engine = create_engine(f"postgresql+psycopg2://postgres@/{database}?host={socket}&port=5432")
    began = time.perf_counter()
    with engine.begin() as connection:
        for number, chunk in enumerate(pandas.read_csv(path, chunksize=CHUNK, dtype=str)):
            how = "replace" if number == 0 else "append"
            chunk.to_sql("staging", connection, if_exists=how, index_label="place", method=copy)
        connection.execute(text(UPSERT))
    print(time.perf_counter() - began)


def copy(table, connection, keys, rows) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    buffer.seek(0)
    columns = ", ".join(f'"{key}"' for key in keys)
    with connection.connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table.name} ({columns}) FROM STDIN WITH CSV", buffer)


if __name__ == "__main__":
    main(*sys.argv[1:])
