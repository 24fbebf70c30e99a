"""The documents against the code: what only one of the two has fails, and the message is the line to add."""

import ast
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.readme import filled
from bench.results import BEGIN, END, PAGE, block
from product_importer.api import api
from product_importer.catalog.schemas import MAX_DESCRIPTION, MAX_NAME, MAX_SKU
from product_importer.commands.cli import cli
from product_importer.core import limited_process
from product_importer.core.settings import Settings
from product_importer.imports.columns.header import MAX_COLUMNS
from product_importer.imports.columns.synonyms import ACTIVE_WORDS
from product_importer.imports.parsing import opening
from product_importer.imports.parsing.xlsx import package
from product_importer.imports.reconciler import MOST_ATTEMPTS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
FORMAT = (ROOT / "docs" / "file-format.md").read_text()
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
PACKAGE = sorted((ROOT / "product_importer").rglob("*.py"))

# Defaults that the code computes: as they are told, and the check that this is what it computes.
COMPUTED: dict[str, tuple[str, Callable[[Settings], bool]]] = {
    "upload_dir": ("`DATA_DIR/uploads`", lambda given: given.uploads == str(given.data_dir / "uploads")),
    "workers": ("cores, at most 4", lambda given: given.workers == min(4, os.cpu_count() or 1)),
}


def table(document: str, heading: str) -> list[list[str]]:
    """Return the rows of the first table whose heading begins with these cells, without the backticks."""
    lines = iter(document.splitlines())
    assert any(line.startswith(heading) for line in lines), f"there is no table “{heading}”"
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("\0", "|") for cell in line.replace(r"\|", "\0").strip("|").split("|")])
    return rows


def assert_same(documented: Iterable[str], real: Iterable[str], where: str) -> None:
    """Compare lines, or what begins them; the message lists what to add and what to remove."""
    documented, real = set(documented), set(real)
    missing = "".join(f"\n+ {line}" for line in sorted(real - documented))
    extra = "".join(f"\n- {line}" for line in sorted(documented - real))
    assert not missing + extra, f"{where}: add the lines with +, remove those with -{missing}{extra}"


def test_every_setting_stands_in_readme_with_its_default_and_no_other():
    rows = {f"| {' | '.join(row)} |" for row in table(README, "| variable | default | meaning |")}
    assert_same(rows, map(setting_line, Settings.model_fields), "README.md, table of settings")


def setting_line(name: str) -> str:
    field = Settings.model_fields[name]
    if name in COMPUTED:
        default, holds = COMPUTED[name]
        assert holds(Settings(_env_file=None, **{name: field.default})), (
            f"the default of {name} is no longer {default}"
        )
    else:
        default = "unset" if field.default is None else f"`{field.default}`"
    return f"| `{name.upper()}` | {default} | {field.description} |"


def test_every_route_stands_in_readme_and_no_other():
    documented = {f"| {method} | {path} |" for method, path, *_ in table(README, "| method | path | does |")}
    real = {
        f"| `{method.upper()}` | `{path}` |": f"| `{method.upper()}` | `{path}` | {operation['summary']} |"
        for path, operations in api.openapi()["paths"].items()
        for method, operation in operations.items()
    }
    missing = {line for start, line in real.items() if start not in documented}
    assert_same(documented - real.keys(), missing, "README.md, table of routes")


def test_every_command_stands_in_readme_and_no_other():
    rows = {f"| {' | '.join(row)} |" for row in table(README, "| command | does |")}
    assert_same(rows, map(command_line, cli.commands), "README.md, table of commands")


def command_line(name: str) -> str:
    summary = cli.commands[name].get_short_help_str().rstrip(".")
    return f"| `python -m product_importer {name}` | {summary} |"


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        text = document.read_text()
        named = set(re.findall(r"`make ([a-z]+)", text)) | set(re.findall(r"^make ([a-z]+)", text, re.MULTILINE))
        assert named <= targets, f"{document.name}: there is no make {', '.join(sorted(named - targets))}"


def test_the_two_commands_of_a_newcomer_stand_at_the_top():
    first_block = README.partition("```sh\n")[2].partition("```")[0]
    assert re.findall(r"^make \w+", first_block, re.MULTILINE) == ["make run", "make test"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_and_image_exists(document: Path):
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    for link in links:
        if "://" not in link and not link.startswith("#"):
            assert (document.parent / link.partition("#")[0]).exists(), f"{document.name}: {link} does not exist"


def test_readme_has_the_figures_of_the_last_benchmark():
    measured = block(PAGE.read_text()) if PAGE.exists() else None
    assert block(README) == measured, "README.md: python -m bench readme"


def test_readme_takes_figures_once_and_then_anew():
    first, second = (f"# Page\n{BEGIN}\n\n| {figure} |\n{END}\nmore\n" for figure in (1, 2))
    bare = "# Title\n\n## Tests\n\ntext\n"
    once = filled(bare, first)
    assert once.count(BEGIN) == 1 and block(once) == "| 1 |" and once.endswith("## Tests\n\ntext\n")
    assert filled(once, second) == once.replace("| 1 |", "| 2 |")


def test_every_image_is_used_and_small():
    used = {(ROOT / name).resolve() for name in re.findall(r'(?:src|srcset)="([^"]+)"', README)}
    images = {path for path in (ROOT / "docs" / "images").iterdir() if path.is_file()}
    assert images == used
    assert not [path.name for path in images if path.stat().st_size > 200_000]


def test_every_decision_has_its_three_parts_and_its_own_number():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        headings = re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequence"], path.name


def test_every_code_of_a_rejected_row_or_a_failed_import_is_documented():
    rows = table(FORMAT, "| code | why |") + table(FORMAT.partition("## Imports that fail")[2], "| code | why |")
    found = set(codes())
    assert {"no_sku", "unclosed_quote", "duplicate", "undecodable", "gave_up", "row_sum"} <= found, "codes() is blind"
    assert_same({row[0] for row in rows}, {f"`{code}`" for code in found}, "docs/file-format.md, tables of codes")


def codes() -> Iterator[str]:
    """Yield the codes that the import's modules give to rows and to imports."""
    for path in sorted((ROOT / "product_importer" / "imports").rglob("*.py")):
        text = path.read_text()
        # In SQL, where a row's error is made: `SELECT job, line, 'code', …`.
        yield from re.findall(r"\bline, '(\w+)',", text)
        for node in ast.walk(ast.parse(text)):
            yield from filter(None, map(literal, _code_arguments(node)))


def _code_arguments(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions of a node that hold a code."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
        position = {"RowError": 1, "Unreadable": 0, "end": 1}.get(name or "")
        if position is not None:
            yield from node.args[position : position + 1]
        yield from (word.value for word in node.keywords if word.arg in ("code", "error_code"))
    # `return "code", "Reason."`, as the checks say it.
    if isinstance(node, ast.FunctionDef) and node.name == "_fault":
        for inner in ast.walk(node):
            if isinstance(inner, ast.Return) and isinstance(inner.value, ast.Tuple):
                yield inner.value.elts[0]
    if isinstance(node, ast.Assign):
        yield from _assigned(node)


def _assigned(node: ast.Assign) -> Iterator[ast.expr]:
    """Yield what is assigned to `….error_code`, alone or in a list of targets, and the keys of `REASONS`."""
    if getattr(node.targets[0], "id", None) == "REASONS" and isinstance(node.value, ast.Dict):
        yield from filter(None, node.value.keys)
    for target in node.targets:
        pairs: list[tuple[ast.expr, ast.expr]] = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=False))
        for name, value in pairs:
            if isinstance(name, ast.Attribute) and name.attr == "error_code":
                yield value


def literal(node: Any) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def test_every_kind_of_refusal_is_documented():
    documented = {row[0] for row in table(FORMAT, "| type | status | why |")}
    found = set(kinds())
    assert {"invalid-csv-header", "not-csv", "too-large", "method-not-allowed"} <= found, "kinds() is blind"
    assert_same(documented, {f"`{kind}`" for kind in found}, "docs/file-format.md, table of refusals")


def kinds() -> Iterator[str]:
    """Yield the last words of the problems' types."""
    for path in PACKAGE:
        # In a page's words a kind is that of a button.
        if "import reflex" in path.read_text():
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            yield from filter(None, map(literal, _kind_expressions(node)))


def _kind_expressions(node: ast.AST) -> Iterator[ast.expr | None]:
    if isinstance(node, ast.Call):
        yield from (word.value for word in node.keywords if word.arg == "kind")
        if getattr(node.func, "id", None) == "problem":
            yield from node.args[1:2]
    if isinstance(node, ast.Dict):
        yield from (value for key, value in zip(node.keys, node.values, strict=True) if literal(key) == "kind")
    if isinstance(node, ast.Assign) and [getattr(target, "id", None) for target in node.targets] == ["kind"]:
        yield node.value


def test_the_limits_are_those_of_the_code():
    assert_same(
        {f"| {' | '.join(row)} |" for row in table(FORMAT, "| what | at most |")},
        {
            f"| an SKU | {MAX_SKU:,} characters |",
            f"| a name | {MAX_NAME:,} characters |",
            f"| a description, or any other field | {MAX_DESCRIPTION:,} characters |",
            f"| a line | {opening.MAX_LINE_BYTES // 2**20} MiB |",
            f"| the shared texts of a workbook | {package.MAX_TEXTS_BYTES // 2**20} MiB |",
            f"| columns of a file | {MAX_COLUMNS:,} |",
            "| rows of a file | `MAX_ROWS`, empty ones not counted |",
            f"| a number format of a workbook | {package.MAX_FORMAT_CHARACTERS} characters |",
            "| a file, also unpacked | `MAX_UPLOAD_MB`, in MiB |",
        },
        "docs/file-format.md, table of limits",
    )
    assert f"stopped {MOST_ATTEMPTS} times" in FORMAT
    assert (
        f"has {limited_process.DEADLINE_SECONDS} seconds and {limited_process.MEMORY_BYTES // 2**20:,} MB of memory"
        in FORMAT
    )
    assert f"the first line has more than {MAX_COLUMNS:,} columns" in FORMAT


def test_the_words_for_active_are_those_of_the_code():
    told = FORMAT.partition("- Words for active: ")[2].partition("\n-")[0]
    yes, _, no = told.partition("For inactive:")
    for letter, sentence in (("t", yes), ("f", no)):
        assert_same(
            re.findall(r"`([^`]+)`", sentence),
            [word for word, flag in ACTIVE_WORDS.items() if flag == letter and word],
            "docs/file-format.md, words for active",
        )
