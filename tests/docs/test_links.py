"""Links, anchors, images, paths, make targets and commands in documents exist."""

import os
import re
from pathlib import Path

import pytest

from tests.docs import values
from tests.docs.documents import DOCUMENTS, ROOT, blocks, read

README_LINES = 150
MAX_IMAGE_BYTES = 400_000
TOP_FOLDERS = (
    "alembic", "assets", "bench", "deploy", "docs", "product_importer", "screenshots", "soak", "tests",
)  # fmt: skip
# A path of the repository in backticks: with a folder, or with the suffix of a known kind of file.
FILE_KINDS = "in|ini|mako|md|py|sql|toml|txt|yaml|yml"
PATH = re.compile(rf"`((?:[\w.-]+/)*[\w-]+\.(?:{FILE_KINDS})|(?:{'|'.join(TOP_FOLDERS)})/[\w./-]*)`")

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def tree() -> set[str]:
    """Return every file and folder of the repository, each by all endings of its path."""
    found = [path.name for path in ROOT.iterdir()]
    for top in TOP_FOLDERS:
        for folder, _, files in os.walk(ROOT / top):
            inside = Path(folder).relative_to(ROOT)
            found += [str(inside), *(str(inside / name) for name in files)]
    return {"/".join(parts[start:]) for parts in (path.split("/") for path in found) for start in range(len(parts))}


TREE = tree()


@every_document
def test_every_path_that_is_named_exists(document: Path):
    text = document.read_text()
    named = set(PATH.findall(text))
    for block in blocks(text, "(?:sh)?"):
        named |= set(re.findall(rf"(?<![\w/.])((?:{'|'.join(TOP_FOLDERS)})/[\w./-]+)", block))
    missing = sorted(path for path in named if path.rstrip("/") not in TREE)
    assert not missing, f"{document.name}: there is no {', '.join(missing)}"


@every_document
def test_every_relative_link_and_anchor_exists(document: Path):
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    for link in links:
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), f"{document.name}: {link} does not exist"
        assert not anchor or anchor in anchors(target), f"{document.name}: {link} leads to no heading"


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub makes of a document's headings."""
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_document
def test_every_make_target_that_is_named_exists(document: Path):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = document.read_text()
    named = set(re.findall(r"`(?:\w+=\w+ )?make ([a-z]+)", text)) | set(
        re.findall(r"^make ([a-z]+)", text, re.MULTILINE)
    )
    assert named <= targets, f"{document.name}: there is no make {', '.join(sorted(named - targets))}"


@every_document
def test_every_command_that_is_named_exists(document: Path):
    program = r"(?:product-importer|python -m product_importer)"
    named = set(re.findall(rf"(?<![\w-]){program} ([a-z]+)", document.read_text()))
    assert named <= values.commands(), f"{document.name}: no command {', '.join(sorted(named - values.commands()))}"


def test_readme_is_short_and_begins_with_the_two_commands():
    readme = read("README.md")
    assert len(readme.splitlines()) <= README_LINES
    first, *_ = blocks(readme, "sh")
    assert re.findall(r"^make \w+", first, re.MULTILINE) == ["make run", "make test"]


def test_every_document_is_reachable_from_readme():
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        seen.add(document)
        links = re.findall(r"\]\(([^)\s#]+)[^)\s]*\)", document.read_text())
        targets = [(document.parent / link).resolve() for link in links if "://" not in link]
        found = [path for target in targets for path in (target.glob("*.md") if target.is_dir() else [target])]
        waiting += [path for path in found if path.suffix == ".md" and path not in seen]
    assert [path.name for path in DOCUMENTS if path not in seen] == []


def test_every_image_is_used_and_small():
    used = {
        (document.parent / name).resolve()
        for document in DOCUMENTS
        for name in re.findall(r'(?:src|srcset)="([^"]+)"', document.read_text())
    }
    images = {path for path in (ROOT / "docs" / "images").iterdir() if path.is_file()}
    shots = set((ROOT / "docs" / "screenshots").iterdir())
    assert images <= used <= images | shots
    assert not [path.name for path in images | shots if path.stat().st_size > MAX_IMAGE_BYTES]


def test_every_decision_has_its_three_parts_and_its_own_number():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        title, *headings = re.findall(r"^##? (.+)$", path.read_text(), re.MULTILINE)
        assert title.startswith(f"{int(path.name[:4])}. "), f"{path.name}: # {int(path.name[:4])}. Title"
        assert headings == ["Context", "Decision", "Consequence"], path.name
