"""Read the documents of the repository, and compare their tables with the code."""

import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def read(name: str) -> str:
    """Return the text of a document, by its path in the repository."""
    return (ROOT / name).read_text()


def table(document: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table whose heading begins with these cells."""
    lines = iter(document.splitlines())
    assert any(line.startswith(heading) for line in lines), f"there is no table “{heading}”"
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("\0", "|") for cell in line.replace(r"\|", "\0").strip("|").split("|")])
    return rows


def first_column(document: str, heading: str) -> set[str]:
    """Return the first cells of a table, without backticks."""
    return {row[0].strip("`") for row in table(document, heading)}


def assert_same(documented: Iterable[str], real: Iterable[str], where: str) -> None:
    """Compare two sets of lines or words; the message lists what to add and what to remove."""
    documented, real = set(documented), set(real)
    missing = "".join(f"\n+ {line}" for line in sorted(real - documented))
    extra = "".join(f"\n- {line}" for line in sorted(documented - real))
    assert not missing + extra, f"{where}: add the lines with +, remove those with -{missing}{extra}"


def blocks(document: str, language: str) -> list[str]:
    """Return the fenced code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", document, re.DOTALL | re.MULTILINE)


def shell_lines(document: str) -> list[str]:
    """Return the commands of a document's shell blocks, one a line, without comments."""
    text = re.sub(r"\\\n\s*", "", "\n".join(blocks(document, "sh")))
    lines = (re.sub(r"(^|\s)#\s.*", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line]
