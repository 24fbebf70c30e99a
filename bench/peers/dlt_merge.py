"""dlt's fast way for tables: Arrow in, CSV files, COPY, then a merge: `python dlt_merge.py FILE SOCKET DATABASE`.

See «Fast loading with Arrow tables and CSV» in its documentation of PostgreSQL, and «Merge loading».
"""

import os
import sys
import time

import dlt
from pyarrow import csv


def main(path: str, socket: str, database: str) -> None:
    # It insists on a host and a password; libpq takes the host that comes last.
    address = f"postgresql://postgres:none@localhost:5432/{database}?host={socket}"
    pipeline = dlt.pipeline(
        pipeline_name="catalogue",
        pipelines_dir=os.path.join(os.environ["BENCH_FOLDER"], "pipelines", str(os.getpid())),  # noqa: PTH118
        destination=dlt.destinations.postgres(address),
        dataset_name="bench_dlt",
    )
    began = time.perf_counter()
    pipeline.run(
        tables(path),
        table_name="catalogue",
        write_disposition={"disposition": "merge", "strategy": "upsert"},
        primary_key="sku",
        loader_file_format="csv",
    ).raise_on_failed_jobs()
    print(time.perf_counter() - began)


@dlt.resource(name="catalogue")
def tables(path: str):
    with csv.open_csv(path) as reader:
        yield from reader


if __name__ == "__main__":
    main(*sys.argv[1:])
