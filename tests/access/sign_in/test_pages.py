"""The pages of the forms look like the others, and show what was typed as text."""

import re
from pathlib import Path

import pytest

from product_importer.access.sign_in import pages
from product_importer.core.errors import DomainError
from tests.application import ROOT

TEMPLATES = Path(pages.__file__).parent / "templates"
VARIABLE = re.compile(r"(--[\w-]+): ([^;]+);")


def _colours(style: str, start: str) -> dict[str, str]:
    """Return the variables of the first block after some text."""
    return dict(VARIABLE.findall(style.partition(start)[2].partition("}")[0]))


def test_the_forms_have_the_colours_of_the_page():
    own, theirs = (path.read_text() for path in (TEMPLATES / "style.css", ROOT / "assets" / "theme.css"))
    light, dark = _colours(own, ":root {"), _colours(own, "(prefers-color-scheme: dark) {\n  :root {")
    assert len(light) > 10 and light.items() <= _colours(theirs, ":root {").items()
    assert len(dark) > 10 and dark.items() <= _colours(theirs, ":root.dark {").items()
    used = set(re.findall(r"var\((--[\w-]+)\)", own))
    assert used == set(light)


def test_what_was_typed_is_text():
    typed = "\"><script>alert(1)</script>'"
    templates: dict[str, dict[str, object]] = {
        "sign_in.html": {
            "next": typed,
            "email": typed,
            "is_set_up": False,
            "provider": {"name": typed, "address": typed},
        },
        "sign_out.html": {"name": typed},
        "setup.html": {"token": typed, "email": None, "typed": typed},
        "error.html": {},
    }
    for name, values in templates.items():
        shown = bytes(pages.page(name, DomainError(typed, title=typed), **values).body).decode()
        assert "<script" not in shown and "&lt;script&gt;" in shown, name
        assert not re.findall(r'<input[^>]*"">', shown), name


def test_no_page_needs_a_script_or_another_address():
    for template in TEMPLATES.iterdir():
        text = template.read_text()
        assert not re.search(r"<script|\bon\w+=|https?:|//\w", text), template


@pytest.mark.parametrize(("template", "kind"), [("sign_in.html", "current-password"), ("setup.html", "new-password")])
def test_password_fields_are_masked_and_open_to_password_managers(template, kind):
    values = {
        "next": "/",
        "email": "mina@shop.example",
        "token": "x",
        "typed": "",
        "is_set_up": False,
        "provider": None,
    }
    shown = bytes(pages.page(template, None, **values).body).decode()
    [field] = re.findall(r'<input id="password"[^>]*>', shown)
    assert 'type="password"' in field and f'autocomplete="{kind}"' in field
    # Nothing but the length may be asked for.
    assert "pattern=" not in field and "readonly" not in field
