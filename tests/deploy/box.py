"""Run the application as its image does, without a container engine: `box.sh` says how."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from product_importer.web import server
from tests.application import ROOT, Application

PROGRAMS = ("unshare", "setpriv", "chroot", "mount")
USER = 10001
needs_box = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or not all(map(shutil.which, PROGRAMS)),
    reason=f"NOT TESTED: the layout of the image needs Linux, root and {', '.join(PROGRAMS)}",
)


def copy_image(app: Path) -> Path:
    """Copy to `app` what the Dockerfile copies to /app, with the built page."""
    server.build()
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        source = ROOT / line.removeprefix("!")
        if line.startswith("!") and source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "external")
            shutil.copytree(source, app / source.name, ignore=ignored)
        elif line.startswith("!"):
            app.mkdir(exist_ok=True)
            shutil.copy2(source, app / source.name)
    shutil.copytree(ROOT / ".web" / "build", app / ".web" / "build")
    # A file system in memory covers it.
    (app / ".web" / "backend").mkdir()
    app.chmod(0o755)
    return app


class Box(Application):
    """The application as process 1 of a machine of its own, whose only disk is its data."""

    def __init__(self, app: Path, root: Path, **environment: str):
        super().__init__()
        self.data.mkdir(mode=0o700)
        os.chown(self.data, USER, USER)
        given = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "DATA_DIR": "/data",
            "PORT": str(self.port),
            "WORKERS": "1",
            **environment,
        }
        # The virtual environment may be a link.
        paths = ":".join([sys.prefix, str(Path(sys.prefix).resolve()), sys.base_prefix])
        script = [str(path) for path in (Path(__file__).with_name("box.sh"), root, app, self.data)]
        self.before = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", *script, paths, "--"]
        self.before += [f"{name}={value}" for name, value in given.items()]

    @property
    def first_process(self) -> int:
        """The id of its process 1, as seen from outside."""
        assert self.process is not None
        return int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text())

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it as a container engine does, and return its exit code."""
        assert self.process is not None
        os.kill(self.first_process, how)
        return self.process.wait(60)
