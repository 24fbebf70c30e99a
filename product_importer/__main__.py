"""The command line: `python -m product_importer COMMAND`."""

import argparse
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin
from urllib.error import URLError
from urllib.request import urlopen

from product_importer.core import logs
from product_importer.core.settings import settings
from product_importer.imports.options import ImportOptions

FIRST_ANSWER_SECONDS = 60


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    chosen = _parser().parse_args(arguments)
    logs.configure()
    settings()
    from redis.exceptions import RedisError
    from sqlalchemy.exc import OperationalError

    from product_importer.core.embedded.servers import ServiceError
    from product_importer.core.storage import StorageError

    try:
        return COMMANDS[chosen.command](chosen)
    except (ServiceError, StorageError) as error:
        reason = str(error)
    except OperationalError as error:
        reason = f"PostgreSQL does not answer, start it or change DATABASE_URL: {_first_line(error.orig)}"
    except RedisError as error:
        reason = f"Redis does not answer, start it or change REDIS_URL: {_first_line(error)}"
    except KeyboardInterrupt:
        return 130
    raise SystemExit(f"product-importer: {logs.safe(reason)}")


def up(_: argparse.Namespace) -> int:
    """Start everything: embedded servers where none are configured, the page, the workers."""
    from product_importer import migrations
    from product_importer.commands.process_manager import Command, supervise
    from product_importer.core import redis, storage
    from product_importer.core.embedded import servers
    from product_importer.web import server
    from product_importer.web.ports import PortError, require_free_port

    try:
        require_free_port(settings().host, settings().port)
    except PortError as error:
        raise SystemExit(f"product-importer: {error}") from None
    servers.database_url()
    storage.storage()
    redis.client().ping()
    migrations.migrate()
    server.build()
    threading.Thread(target=_announce, name="announce", daemon=True).start()
    this = (sys.executable, "-m", "product_importer")
    commands = [Command("web", (*this, "web"), essential=True)]
    commands += [Command(f"worker-{n}", (*this, "worker")) for n in range(1, settings().workers + 1)]
    commands += [Command("webhooks", (*this, "worker", "--queue", "webhooks"))]
    try:
        return supervise(commands, watch=servers.watch)
    finally:
        servers.stop()


def serve_web(_: argparse.Namespace) -> int:
    """Serve page, REST and events on one port."""
    from product_importer import migrations
    from product_importer.commands.process_manager import exit_with_parent
    from product_importer.web import server

    exit_with_parent()
    migrations.migrate()
    server.serve()
    return 0


def work(chosen: argparse.Namespace) -> int:
    """Run one import worker, or with `--queue webhooks` one of webhooks: `rq worker -c product_importer.worker`."""
    from product_importer.commands.process_manager import exit_with_parent

    exit_with_parent()
    from product_importer import worker

    worker.run([chosen.queue] if chosen.queue else [])
    return 0


def develop(_: argparse.Namespace) -> int:
    """Serve with hot reload, and run one worker of each kind beside."""
    from product_importer import migrations
    from product_importer.commands.process_manager import Command, supervise
    from product_importer.core.embedded import servers

    servers.redis_url()
    migrations.migrate()
    commands = [
        Command("reflex", (sys.executable, "-m", "reflex", "run"), essential=True),
        Command("worker", (sys.executable, "-m", "product_importer", "worker")),
        Command("webhooks", (sys.executable, "-m", "product_importer", "worker", "--queue", "webhooks")),
    ]
    try:
        return supervise(commands, watch=servers.watch)
    finally:
        servers.stop()


def migrate(_: argparse.Namespace) -> int:
    """Bring the database's schema up to date."""
    from product_importer import migrations

    migrations.migrate()
    print("The schema is up to date.")
    return 0


def run_import(chosen: argparse.Namespace) -> int:
    """Import a file, `https://…`, or standard input for `-`, and show how far it is."""
    from product_importer.commands import import_file

    return import_file.run(chosen)


def export(chosen: argparse.Namespace) -> int:
    """Write the products as CSV to a file, or to standard output for `-`."""
    from pydantic import ValidationError

    from product_importer import migrations
    from product_importer.catalog.export import Export
    from product_importer.catalog.schemas import ProductFilter
    from product_importer.commands import output
    from product_importer.core.errors import field_errors

    given = {name: getattr(chosen, name) for name in EXPORT_FILTERS if getattr(chosen, name) is not None}
    migrations.migrate()
    try:
        exported = Export(ProductFilter.model_validate(given))
        output.write(exported, chosen.file)
    except ValidationError as error:
        reasons = (f"{fault['field']}: {fault['message']}" for fault in field_errors(error.errors()))
        raise SystemExit(f"product-importer: {'; '.join(reasons)}") from None
    except BrokenPipeError:
        return 1
    except output.OutputError as error:
        raise SystemExit(f"product-importer: {error}") from None
    print(f"{exported.rows:,} product{'' if exported.rows == 1 else 's'} exported.", file=sys.stderr)
    return 0


def doctor(_: argparse.Namespace) -> int:
    """Say what is configured and reachable, and how to mend what is not."""
    from product_importer import health

    data = settings().data_dir
    print(f"Python {sys.version.split()[0]}, data in {data} ({health.free_space(data)})")
    readiness = health.diagnose()
    for check in readiness.checks:
        warning = f" (warning: {check.warning})" if check.warning else ""
        print(f"{'ok     ' if check.ok else 'MISSING'}  {check.name}: {check.detail}{warning}")
    return 0 if readiness.ready else 1


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "up": up,
    "web": serve_web,
    "worker": work,
    "dev": develop,
    "migrate": migrate,
    "import": run_import,
    "export": export,
    "doctor": doctor,
}

EXPORT_FILTERS = {
    "sku": "only products whose SKU holds this text",
    "name": "only those whose name does",
    "description": "only those whose description does",
    "q": "only those of which any of the three does",
    "active": "only those that are active (true), or that are not (false)",
}
IMPORT_OPTIONS = {f"--{name.replace('_', '-')}": field for name, field in ImportOptions.model_fields.items()}
# Each command's own arguments, and what they mean.
ARGUMENTS: dict[str, dict[str, str]] = {
    "worker": {"--queue": "imports, the default, or webhooks"},
    "import": {"file": "the file to import; a URL; - for standard input"}
    | {option: field.description or "" for option, field in IMPORT_OPTIONS.items()}
    | {"--rejects": "write the rows that are rejected to this file; - for standard output"},
    "export": {"file": "the file to write; - for standard output"}
    | {f"--{name}": meaning for name, meaning in EXPORT_FILTERS.items()},
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m product_importer", description="Product Importer")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, function in COMMANDS.items():
        summary = (function.__doc__ or "").splitlines()[0]
        command = commands.add_parser(name, help=summary, description=summary)
        for argument, meaning in ARGUMENTS.get(name, {}).items():
            command.add_argument(argument, help=meaning, **_kind(argument))
    return parser


def _kind(argument: str) -> dict[str, Any]:
    """Return how an argument is given: alone, as one of a few words, or as any text."""
    kind = IMPORT_OPTIONS[argument].annotation if argument in IMPORT_OPTIONS else str
    if kind is bool:
        return {"action": "store_true"}
    return {"metavar": "|".join(get_args(kind))} if get_origin(kind) is Literal else {}


def _first_line(error: object) -> str:
    return str(error).strip().partition("\n")[0]


def _announce() -> None:
    """Print the page's address once it can be opened."""
    host = f"[{settings().host}]" if ":" in settings().host else settings().host
    is_wildcard = host in ("0.0.0.0", "[::]")  # noqa: S104 - compared, not listened on
    shown = "localhost" if is_wildcard or host == "127.0.0.1" else host
    deadline = time.monotonic() + FIRST_ANSWER_SECONDS
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://{host}:{settings().port}/api/health", timeout=2):
                print(
                    f"\n  Product Importer is at http://{shown}:{settings().port}   (Ctrl-C stops it)\n", flush=True
                )
                break
        except (URLError, OSError):
            time.sleep(0.1)
    if is_wildcard and not settings().allowed_hosts:
        print("  Other machines are answered 400 until ALLOWED_HOSTS has the name or address they use.\n", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
