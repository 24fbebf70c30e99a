"""The files for Compose pass every setting of `.env`, but for those that a container cannot take from there."""

import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from product_importer.core.settings import Settings
from tests.docs.documents import read

SETTINGS = {name.upper() for name in Settings.model_fields}
# Of the object store that UPLOAD_DIR names.
ACCOUNT = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"}
IN_THE_IMAGE = {
    "DATA_DIR": "a volume is mounted there",
    "SPOOL_DIR": "a folder of the machine would not be in the container: mount one at DATA_DIR/spool",
    "HOST": "in a container, all addresses: the published one is in `ports`",
}
# Which settings a file does not pass, and why.
NOT_PASSED = {
    "compose.yaml": IN_THE_IMAGE
    | {
        "DATABASE_URL": "the server of this file",
        "REDIS_URL": "the server of this file",
        "WORKERS": "`up` reads it; here it is `--scale worker=…`",
    },
    "compose.one.yaml": IN_THE_IMAGE,
}
# What differs on purpose: the full form needs a key, and the other one may have servers of its own.
DIFFERENT = {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "WORKERS", "PGPASSWORD"}


def services(file: str) -> list[dict[str, Any]]:
    """Return the services that run the application."""
    found = yaml.safe_load(read(file))["services"].values()
    return [service for service in found if "build" in service]


def passed(service: dict[str, Any]) -> set[str]:
    """Return the variables of `.env` that reach the application under their own names."""
    given = service["environment"].items()
    names = {name for name, value in given if value is None or re.match(rf"\$\{{{name}:[-?]", value)}
    published = re.findall(r"\$\{(PORT):-", " ".join(service.get("ports", [])))
    return names | set(published)


@pytest.mark.parametrize("file", NOT_PASSED)
def test_every_setting_is_passed_or_there_is_a_reason(file):
    for service in services(file):
        expected = SETTINGS - NOT_PASSED[file].keys() | ACCOUNT
        # Only the page has a port.
        assert passed(service) | {"PORT"} == expected
    assert any("PORT" in passed(service) for service in services(file))


def test_both_files_pass_settings_in_the_same_way():
    [one] = services("compose.one.yaml")
    for service in services("compose.yaml"):
        names = one["environment"].keys() | service["environment"].keys()
        for name in names - DIFFERENT:
            assert one["environment"][name] == service["environment"][name], name


def test_the_document_names_what_is_not_passed():
    text = " ".join(read("docs/operations.md").partition("## Containers")[2].partition("\n## ")[0].split())
    [sentence] = re.findall(r"`\.env` may hold every \[setting\]\(\S+\) but ([^.:]+)[.:]", text)
    assert set(re.findall("`([A-Z_]+)`", sentence)) == NOT_PASSED["compose.yaml"].keys()
