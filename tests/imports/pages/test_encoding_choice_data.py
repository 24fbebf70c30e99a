"""The data of the choice of an encoding."""

from typing import get_args

from product_importer.core.errors import Invalid
from product_importer.core.problem_types import ProblemType
from product_importer.imports.options import Encoding
from product_importer.imports.pages import labels
from product_importer.imports.pages.encoding_choice_data import EncodingPreview
from product_importer.imports.pages.error_view import ErrorView


def not_text(*names: str) -> Invalid:
    encodings = [{"encoding": name, "preview": ["A-1;x"]} for name in names]
    return Invalid("Byte 1 is bad.", kind=ProblemType.NOT_TEXT, encodings=encodings)


def test_each_likely_encoding_is_offered_with_its_label_and_lines():
    assert EncodingPreview.all_of(not_text("windows-1251", "gb18030")) == [
        EncodingPreview("windows-1251", "Windows-1251 (Cyrillic)", ["A-1;x"]),
        EncodingPreview("gb18030", "GB 18030, GBK (Chinese)", ["A-1;x"]),
    ]
    assert EncodingPreview.all_of(Invalid("No.", kind=ProblemType.NOT_CSV)) == []


def test_the_hint_to_the_options_is_for_a_file_without_likely_encodings():
    assert ErrorView.of(not_text("windows-1251")).hint == ""
    assert "under Options" in ErrorView.of(not_text()).hint


def test_every_encoding_has_a_label():
    assert set(labels.ENCODINGS) == {"", *get_args(Encoding)}
