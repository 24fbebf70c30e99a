"""The tools that are compared with ours, and how each is run."""

import platform
from pathlib import Path

from bench.peers.peer import Peer

# The SKU is the primary key: pgmerge matches rows by it, and creates no ids.
SMALL_TABLE = "CREATE TABLE catalogue (sku text PRIMARY KEY, name text, description text)"

PGLOADER = r"""
LOAD CSV FROM '{path}' (sku, name, description)
INTO postgresql://postgres@unix:{socket}:5432/{database}
TARGET TABLE staging (sku, name, description)
WITH skip header = 1, fields optionally enclosed by '"', fields escaped by double-quote, fields terminated by ','
BEFORE LOAD DO
$$ DROP TABLE IF EXISTS staging; $$,
$$ CREATE UNLOGGED TABLE staging (sku text, name text, description text); $$
AFTER LOAD DO
$$ INSERT INTO product AS held (id, sku, sku_key, name, description)
   SELECT DISTINCT ON (lower(sku) COLLATE "C") gen_random_uuid(), sku, lower(sku), name, description FROM staging
   ORDER BY lower(sku) COLLATE "C", ctid DESC
   ON CONFLICT (sku_key) DO UPDATE SET name = excluded.name, description = excluded.description
   WHERE (held.name, held.description) IS DISTINCT FROM (excluded.name, excluded.description); $$,
$$ DROP TABLE staging; $$;
"""


# The package `sling` downloads its program from elsewhere; these packages hold it.
SLING = f"sling-linux-{'arm64' if platform.machine() == 'aarch64' else 'amd64'}"


def _sling(folder: Path, path: Path, socket: Path, database: str) -> list[str]:
    # It is installed without execute permission.
    [program] = folder.glob(f"lib/*/site-packages/{SLING.replace('-', '_')}/bin/{SLING}")
    program.chmod(0o755)
    return [
        *(str(program), "run"),
        *("--src-stream", f"file://{path}"),
        *("--tgt-conn", f"postgresql://postgres@/{database}?host={socket}&sslmode=disable"),
        *("--tgt-object", "public.sling_catalogue"),
        *("--mode", "incremental", "--primary-key", "sku"),
    ]


def _pgloader(folder: Path, path: Path, socket: Path, database: str) -> list[str]:
    script = folder / "catalogue.load"
    script.write_text(PGLOADER.format(path=path, socket=socket, database=database))
    return ["pgloader", "--quiet", "--root-dir", str(folder), str(script)]


def _pgmerge(folder: Path, path: Path, _socket: Path, database: str) -> list[str]:
    # It derives the table name from the file name.
    named = folder / "files" / "catalogue.csv"
    named.parent.mkdir(exist_ok=True)
    named.unlink(missing_ok=True)
    named.symlink_to(path)
    connection = ["--uri", "postgresql:///", "--dbname", database]
    return [str(folder / "bin" / "pgmerge"), "import", *connection, str(named.parent), "catalogue"]


PEERS = (
    Peer(
        name="orm",
        title="ORM in batches of 500",
        how="the design this program began with: SQLModel, `INSERT … ON CONFLICT` for 500 rows, commit, next",
        max_rows=20_000,
        script="orm.py",
    ),
    Peer(
        name="dlt",
        title="dlt 1.31",
        how="pyarrow reads, `merge` with strategy `upsert`, loader file format `csv`, which is COPY",
        max_rows=100_000,
        packages=("dlt[postgres]==1.31.0", "pyarrow==26.0.1"),
        script="dlt_merge.py",
        table="bench_dlt.catalogue",
    ),
    Peer(
        name="sling",
        title="Sling 1.4.11",
        how="`sling run --mode incremental --primary-key sku`, the newest version whose program is on PyPI",
        max_rows=500_000,
        packages=(f"{SLING}==1.4.11",),
        command=_sling,
        table="sling_catalogue",
    ),
    Peer(
        name="pgloader",
        title="pgloader",
        how="`LOAD CSV` into a staging table, upsert by SQL in `AFTER LOAD DO`; Debian's package",
        max_rows=100_000,
        debian="pgloader",
        command=_pgloader,
    ),
    Peer(
        name="pandas",
        title="pandas 3.1",
        how="`read_csv` in chunks, `to_sql` with its documented COPY method, upsert by SQL",
        max_rows=200_000,
        packages=("pandas==3.1.1", "SQLAlchemy==2.1.9", "psycopg2-binary==2.9.13"),
        script="pandas_copy.py",
    ),
    Peer(
        name="pgmerge",
        title="pgmerge 1.13",
        how="`pgmerge import`: COPY into a temporary table, then INSERT and UPDATE",
        max_rows=200_000,
        packages=("pgmerge==1.13.0",),
        command=_pgmerge,
        table="catalogue",
        prepare=SMALL_TABLE,
    ),
    Peer(
        name="django",
        title="django-import-export 4.4",
        how="bulk mode, 1,000 rows a batch, `CachedInstanceLoader`, `skip_unchanged`, `skip_diff`",
        max_rows=5_000,
        packages=("Django==5.2.19", "django-import-export==4.4.3", "psycopg[binary]==3.3.9"),
        script="django_bulk.py",
    ),
)
