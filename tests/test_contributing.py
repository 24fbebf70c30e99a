"""CONTRIBUTING.md and the files beside it: every named file exists, and the hooks do what the text says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from product_importer import __version__
from tests.__main__ import CHECKS

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", ".github/PULL_REQUEST_TEMPLATE.md")]
CONTRIBUTING = DOCUMENTS[0].read_text()
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def hooks() -> dict[str, dict[str, Any]]:
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local", "nothing is downloaded"
    return {hook["id"]: hook for hook in repository["hooks"]}


def paths(text: str) -> set[str]:
    """Return words in code or links that look like paths of the repository: with a folder or a known suffix."""
    words = re.findall(r"[^\s`()|]+", " ".join(re.findall(r"`[^`\n]+`|```.*?```|\]\([^)]+\)", text, re.DOTALL)))
    named = {word.strip("[],;:") for word in words if not re.search(r"://|^\.venv/", word)}
    return {word for word in named if re.search(r"^[\w.]+/|\.(py|md|in|toml|yaml)$", word)} - {"service.py", "pages/"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_is_named_exists(document: Path):
    assert sorted(path for path in paths(document.read_text()) if not (ROOT / path).exists()) == []


def test_paths_are_found_in_the_text():
    assert {
        "product_importer/core/settings/__init__.py",
        "docs/decisions/",
        "requirements.in",
        "CHANGELOG.md",
    } <= paths(CONTRIBUTING)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(document: Path):
    lines = re.findall(r"(?:`|^)make ([a-z ]+)", document.read_text(), re.MULTILINE)
    assert {target for line in lines for target in line.split()} <= TARGETS


def test_every_name_in_code_exists():
    for name, path in re.findall(r"`(\w+)` (?:in|of) `([\w/]+\.py)`", CONTRIBUTING):
        assert re.search(rf"^(def |class )?{name}\b", (ROOT / path).read_text(), re.MULTILINE), f"{name} in {path}"


def test_the_pre_commit_hook_runs_the_checks_of_make_lint():
    assert hooks()["lint"]["entry"] == "make lint" and "lint" in TARGETS
    assert CHECKS.keys() == {"format", "lint", "types", "architecture"}


@pytest.mark.parametrize(
    ("message", "is_rejected"), [("x" * 72, False), ("x" * 73, True), ("x\n\n" + "y" * 99, False)]
)
def test_the_commit_message_hook_rejects_long_subjects(message: str, is_rejected: bool):
    assert bool(re.search(hooks()["subject"]["entry"], f"{message}\n", re.MULTILINE)) == is_rejected


def test_the_changelog_names_the_version_of_the_code():
    assert f"Version {__version__} " in (ROOT / "CHANGELOG.md").read_text()
