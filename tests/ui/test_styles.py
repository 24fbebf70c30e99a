"""The look is made of Tailwind's classes and one file of tokens."""

import re

import pytest

from product_importer.ui import access_state, differences, layout, menu, modal, styles, tables, theme
from tests.application import ROOT

ASSETS = ROOT / "assets"
THEME = (ASSETS / "theme.css").read_text()
# A colour, or the width of a window, that is written by hand.
BY_HAND = re.compile(r"#[0-9a-f]{3,8}\b|rgb\(|\[[0-9]+px\]:(?!gap)|\bdark:")


def test_there_is_one_style_sheet():
    assert [path.name for path in ASSETS.glob("**/*.css")] == ["theme.css"]
    assert theme.STYLESHEETS == ["/theme.css"]


def test_the_style_sheet_stays_short():
    assert len(THEME.splitlines()) <= 130


@pytest.mark.parametrize("module", [access_state, differences, layout, menu, modal, styles, tables])
def test_shared_looks_have_no_colours_of_their_own(module: object):
    texts = [value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)]
    assert texts
    assert [text for text in texts if BY_HAND.search(text)] == []
