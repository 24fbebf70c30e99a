"""Documents list exactly the values of the code; a failure shows the lines to add or to remove."""

import os
import re
from collections.abc import Callable

import pytest
from pydantic.fields import FieldInfo

from product_importer.catalog.schemas import MAX_DESCRIPTION, MAX_NAME, MAX_SKU
from product_importer.core import db, queue
from product_importer.core.settings import Settings
from product_importer.core.settings.remote import RemoteSettings
from product_importer.imports import worker_share
from product_importer.imports.columns.header import MAX_COLUMNS
from product_importer.imports.columns.synonyms import ACTIVE_WORDS
from product_importer.imports.drafts import rows
from product_importer.imports.options import MAX_ATTRIBUTE_NAME
from product_importer.imports.parsing import limited_process, opening
from product_importer.imports.parsing.records import MAX_RECORD_CHARACTERS
from product_importer.imports.parsing.xlsx import package, styles
from product_importer.imports.reconciler import MAX_ATTEMPTS
from product_importer.imports.upload import accepting
from tests.docs import values
from tests.docs.documents import assert_same, first_column, read, table

FORMAT = read("docs/file-format.md")

# Defaults that the code computes: their documented words, and a check of these.
COMPUTED: dict[str, tuple[str, Callable[[Settings], bool]]] = {
    "upload_dir": ("`DATA_DIR/uploads`", lambda given: given.uploads == str(given.data_dir / "uploads")),
    "spool_dir": ("`DATA_DIR/spool`", lambda given: given.spools == given.data_dir / "spool"),
    "workers": ("cores, at most 4", lambda given: given.workers == min(4, os.cpu_count() or 1)),
}


@pytest.mark.parametrize(
    ("heading", "model"),
    [("variable", Settings), ("variable of the commands", RemoteSettings)],
    ids=["all", "commands"],
)
def test_readme_lists_every_setting_with_its_default(heading, model):
    rows = {f"| {' | '.join(row)} |" for row in table(read("README.md"), f"| {heading} | default | meaning |")}
    lines = [setting_line(name, field) for name, field in model.model_fields.items()]
    assert_same(rows, lines, f"README.md, table {heading}")


def setting_line(name: str, field: FieldInfo) -> str:
    if name in COMPUTED:
        default, holds = COMPUTED[name]
        assert holds(Settings(_env_file=None, **{name: field.default})), (
            f"the default of {name} is no longer {default}"
        )
    else:
        default = "unset" if field.default is None else f"`{field.default}`"
    return f"| `{name.upper()}` | {default} | {field.description} |"


@pytest.mark.parametrize(
    ("document", "heading", "real"),
    [
        ("docs/rest.md", "| status | means |", values.statuses),
        ("docs/rest.md", "| phase | means |", values.phases),
        ("docs/rest.md", "| type | status | why |", values.problem_types),
        ("docs/webhooks.md", "| event | when |", values.event_types),
    ],
    ids=["statuses", "phases", "problem types", "event types"],
)
def test_a_table_lists_every_value_of_the_code(document, heading, real):
    assert_same(first_column(read(document), heading), real(), f"{document}, table {heading}")


def test_every_route_is_documented():
    rows = table(read("docs/rest.md"), "| method | path | does |")
    documented = {f"{method} {path}".replace("`", "") for method, path, _ in rows}
    assert_same(documented, values.routes(), "docs/rest.md, table of routes")


def test_every_command_is_documented():
    documented = first_column(read("docs/operations.md"), "| command | does |")
    expected = {f"product-importer {name}" for name in values.commands()}
    assert_same(documented, expected, "docs/operations.md, table of commands")


@pytest.mark.parametrize(
    ("heading", "second", "real"),
    [
        ("Rows that are rejected", "why", values.row_codes),
        ("Warnings", "what was assumed", values.warning_codes),
        ("Imports that fail", "why", values.import_codes),
    ],
)
def test_every_code_is_documented(heading, second, real):
    documented = first_column(FORMAT.partition(f"## {heading}")[2], f"| code | {second} |")
    assert_same(documented, real(), f"docs/file-format.md, {heading}")


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
            f"| an object of JSON, or a row of Parquet | {MAX_RECORD_CHARACTERS:,} characters |",
            "| rows of a file | `MAX_ROWS`, empty ones not counted |",
            f"| a number format of a workbook | {styles.MAX_FORMAT_CHARACTERS} characters |",
            "| a file, also unpacked | `MAX_UPLOAD_MB`, in MiB |",
        },
        "docs/file-format.md, table of limits",
    )
    assert f"stopped {MAX_ATTEMPTS} times" in FORMAT
    assert f"the first line has more than {MAX_COLUMNS:,} columns" in read("docs/rest.md")
    assert (
        f"has {limited_process.DEADLINE_SECONDS} seconds and {limited_process.MEMORY_BYTES // 2**20:,} MB of memory"
        in " ".join(FORMAT.split())
    )


def test_the_limits_of_drafts_are_those_of_the_code():
    architecture, operations = (" ".join(read(f"docs/{name}.md").split()) for name in ("architecture", "operations"))
    assert f"there are {rows.MAX_DRAFTS} drafts" in architecture
    assert f"nothing has arrived for {rows.STALLED_SECONDS} seconds" in architecture
    assert f"nothing happens for {rows.KEPT_HOURS} hours" in architecture
    assert f"deleted {rows.KEPT_HOURS} hours after" in operations
    assert f"At most {rows.MAX_DRAFTS} such files" in operations
    assert f"The NAME of an attribute has 1 to {MAX_ATTRIBUTE_NAME} characters" in FORMAT


def test_what_several_workers_do_is_as_in_the_code(monkeypatch):
    text = " ".join(read("docs/operations.md").split())
    assert f"Files of up to {accepting.LARGE_BYTES // 2**20} MiB unpacked are not shared" in text
    assert "takes three in all until two work on the same file" in text
    slots = []
    for live in (1, 2, 3):
        monkeypatch.setattr(queue, "live_workers", lambda _, live=live: live)
        slots.append(worker_share.slots())
    assert slots == [1, 1, 2]
    assert f"web process has at most {db.MAX_CONNECTIONS}" in text


def test_the_words_for_active_are_those_of_the_code():
    documented = FORMAT.partition("- Words for active: ")[2].partition("\n-")[0]
    yes, _, no = documented.partition("For inactive:")
    for letter, sentence in (("t", yes), ("f", no)):
        assert_same(
            re.findall(r"`([^`]+)`", sentence),
            [word for word, flag in ACTIVE_WORDS.items() if flag == letter and word],
            "docs/file-format.md, words for active",
        )
