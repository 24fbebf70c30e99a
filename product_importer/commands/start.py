"""Start the whole application: the commands `up` and `dev`."""

import sys
import threading
import time
from urllib.error import URLError
from urllib.request import urlopen

from product_importer import migrations
from product_importer.commands import first_link
from product_importer.commands.process_manager import Command, supervise
from product_importer.core import redis, secrets, storage
from product_importer.core.embedded import servers
from product_importer.core.settings import settings
from product_importer.web import server
from product_importer.web.ports import require_free_port

FIRST_ANSWER_SECONDS = 60
PROGRAM = (sys.executable, "-m", "product_importer")
WEBHOOK_WORKER = Command("webhooks", (*PROGRAM, "worker", "--queue", "webhooks"))


def up() -> int:
    """Start the embedded servers, build the page, and run web and workers until a signal; return the exit code."""
    require_free_port(settings().host, settings().port)
    servers.database_url()
    secrets.prepare()
    storage.storage()
    redis.client().ping()
    migrations.migrate()
    server.build()
    threading.Thread(target=_announce, name="announce", daemon=True).start()
    workers = [Command(f"worker-{n}", (*PROGRAM, "worker")) for n in range(1, settings().workers + 1)]
    return _supervise(Command("web", (*PROGRAM, "web"), essential=True), *workers, WEBHOOK_WORKER)


def web(*, is_part: bool) -> None:
    """Serve until a signal; as a part of `up`, leave it to that to print the link to the first account."""
    secrets.prepare()
    migrations.migrate()
    if not is_part:
        first_link.announce()
    server.serve()


def dev() -> int:
    """Run Reflex with hot reload and one worker of each kind until a signal; return the exit code."""
    servers.redis_url()
    secrets.prepare()
    migrations.migrate()
    first_link.announce()
    reflex = Command("reflex", (sys.executable, "-m", "reflex", "run"), essential=True)
    return _supervise(reflex, Command("worker", (*PROGRAM, "worker")), WEBHOOK_WORKER)


def _supervise(*commands: Command) -> int:
    try:
        return supervise(commands, watch=servers.watch)
    finally:
        servers.stop()


def _announce() -> None:
    """Print the page's address once it can be opened, and the link to the first account if there is none."""
    given = settings()
    host = f"[{given.host}]" if ":" in given.host and not given.host.startswith("[") else given.host
    deadline = time.monotonic() + FIRST_ANSWER_SECONDS
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://{host}:{given.port}/api/health", timeout=2):
                print(f"\n  Product Importer is at {given.address}   (Ctrl-C stops it)\n", flush=True)
                break
        except (URLError, OSError):
            time.sleep(0.1)
    first_link.announce()
    if host in ("0.0.0.0", "[::]") and not given.allowed_hosts:  # noqa: S104 - compared, not listened on
        print("  Other machines get 400 until ALLOWED_HOSTS has the name or address that they use.\n", flush=True)
