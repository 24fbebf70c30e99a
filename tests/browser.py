"""Find or install a Chromium for the tests: an installed one, else Debian's package, else Playwright's own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

# The shell has no windows of its own: opening a page takes a fifth of the processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Chromium may open no connection to other hosts. It has no sandbox when it runs as root.
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running Chromium."""
    # Search before Playwright starts: the search may start Playwright itself, and it cannot run twice.
    path = find_chromium()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


def find_chromium() -> str | None:
    """Return the path of an installed Chromium, or None."""
    return installed_chromium() or _playwrights_own()


def installed_chromium() -> str | None:
    """Return the path of a Chromium that Playwright would not find by itself, or None."""
    return os.environ.get("CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)


def ensure_chromium() -> None:
    """Install a Chromium if there is none: the system's package as root on Debian, else Playwright's own.

    Raises:
        SystemExit: no Chromium can be installed, and `CI=true` forbids to skip the browser tests.
    """
    if find_chromium():
        return
    print("Getting a Chromium for the browser tests …", flush=True)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        # Older versions of Debian have no shell.
        for words in (["update"], ["install", "-y", "chromium-headless-shell"], ["install", "-y", "chromium"]):
            if not find_chromium():
                command = ["apt-get", "-qq", *words]
                subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if not find_chromium() and os.environ.get("CI") == "true":
        raise SystemExit("No Chromium could be installed, and with CI=true the browser tests must run.")


def _playwrights_own() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None
