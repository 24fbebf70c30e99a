"""The command line: `python -m product_importer COMMAND`."""

import argparse
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from urllib.error import URLError
from urllib.request import urlopen

from product_importer.core.settings import settings

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
FIRST_ANSWER_SECONDS = 60


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    chosen = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings()
    from product_importer.core.services import ServiceError

    try:
        return COMMANDS[chosen.command](chosen)
    except ServiceError as error:
        raise SystemExit(f"product-importer: {error}") from None
    except KeyboardInterrupt:
        return 130


def up(_: argparse.Namespace) -> int:
    """Start everything: embedded servers where none are configured, the page, the workers."""
    from product_importer import migrations, web
    from product_importer.core import services
    from product_importer.core.ports import PortError, require_free_port
    from product_importer.core.processes import Command, supervise

    try:
        require_free_port(settings().host, settings().port)
    except PortError as error:
        raise SystemExit(f"product-importer: {error}") from None
    services.database_url()
    services.redis_url()
    migrations.migrate()
    web.build()
    threading.Thread(target=_announce, name="announce", daemon=True).start()
    this = (sys.executable, "-m", "product_importer")
    commands = [Command("web", (*this, "web"), essential=True)]
    commands += [Command(f"worker-{n}", (*this, "worker")) for n in range(1, settings().workers + 1)]
    try:
        return supervise(commands, watch=services.watch)
    finally:
        services.stop()


def serve_web(_: argparse.Namespace) -> int:
    """Serve page, REST and events on one port."""
    from product_importer import migrations, web
    from product_importer.core.processes import exit_with_parent

    exit_with_parent()
    migrations.migrate()
    web.serve()
    return 0


def work(_: argparse.Namespace) -> int:
    """Run one import worker: what `rq worker -c product_importer.worker` does."""
    from product_importer import migrations
    from product_importer.core.processes import exit_with_parent

    exit_with_parent()
    migrations.migrate()
    from rq.cli.cli import main as rq

    rq(["worker", "--config", "product_importer.worker", "--logging_level", "WARNING"], standalone_mode=False)
    return 0


def develop(_: argparse.Namespace) -> int:
    """Serve with hot reload, and run one worker beside."""
    from product_importer import migrations
    from product_importer.core import services
    from product_importer.core.processes import Command, supervise

    services.redis_url()
    migrations.migrate()
    commands = [
        Command("reflex", (sys.executable, "-m", "reflex", "run"), essential=True),
        Command("worker", (sys.executable, "-m", "product_importer", "worker")),
    ]
    try:
        return supervise(commands, watch=services.watch)
    finally:
        services.stop()


def migrate(_: argparse.Namespace) -> int:
    """Bring the database's schema up to date."""
    from product_importer import migrations

    migrations.migrate()
    print("The schema is up to date.")
    return 0


def doctor(_: argparse.Namespace) -> int:
    """Say what is configured and reachable, and how to mend what is not."""
    from product_importer import health

    print(f"Python {sys.version.split()[0]}, data in {settings().data_dir}, uploads in {settings().uploads}")
    readiness = health.check()
    for check in readiness.checks:
        print(f"{'ok     ' if check.ok else 'MISSING'}  {check.name}: {check.detail}")
    return 0 if readiness.ready else 1


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "up": up,
    "web": serve_web,
    "worker": work,
    "dev": develop,
    "migrate": migrate,
    "doctor": doctor,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m product_importer", description="Product Importer")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, function in COMMANDS.items():
        summary = (function.__doc__ or "").splitlines()[0]
        commands.add_parser(name, help=summary, description=summary)
    return parser


def _announce() -> None:
    """Print the page's address once it can be opened."""
    address = f"http://{'localhost' if settings().host == '127.0.0.1' else settings().host}:{settings().port}"
    deadline = time.monotonic() + FIRST_ANSWER_SECONDS
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://{settings().host}:{settings().port}/api/health", timeout=2):
                print(f"\n  Product Importer is at {address}   (Ctrl-C stops it)\n", flush=True)
                return
        except (URLError, OSError):
            time.sleep(0.1)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
