"""A number format made of zeros pads whole numbers, as the sheet shows them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.xlsx.zero_formats import parse_zero_format
from tests.imports.parsing.reading import rows_of
from tests.imports.parsing.xlsx.test_reader import NAMES, saved


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("0000000000000", 12345678901, "0012345678901"),
        ("000", 7, "007"),
        ("000", 0, "000"),
        ("000", 12345, "12345"),
        ("000", -7, "-007"),
        ("00000-0000", 12345678, "01234-5678"),
        (r"00000\-0000", 123456789012, "12345678-9012"),
        ('"ART-"00000', 42, "ART-00042"),
        ('0000" (old)"', 42, "0042 (old)"),
        ("[$-407]00000", 1067, "01067"),
        ("##000", 7, "007"),
        ("##000", 123456, "123456"),
        ("000;-000", 7, "007"),
        # As stored: the format is for other numbers, has decimals or thousands, or pads nothing.
        ("000;-00000", -7, "-7"),
        ("0", 7, "7"),
        ('0" kg"', 7, "7"),
        ("0.00", 7, "7"),
        ("00.00", 7, "7"),
        ("0,000", 7, "7"),
        ("00%", 7, "7"),
        ("00E+00", 7, "7"),
        ("[<5]000;00000", 7, "7"),
        ("#-000", 7, "7"),
        ("@", 7, "7"),
        ('000"', 7, "7"),
        ("000\\", 7, "7"),
        # Only whole numbers: the format hides the decimals.
        ("000", 7.5, "7.5"),
        ("000", 1e300, "1e+300"),
        ("000", "7", "7"),
    ],
)
def test_a_cell_in_a_format_of_zeros(code, number, shown):
    content = saved(NAMES, (number, "b", "c"), A2=code)
    assert rows_of(content, Format(container="xlsx"))[0] == [(2, [shown, "b", "c"])]


@given(st.integers(2, 30), st.integers(-(10**15), 10**15))
def test_padding_changes_no_number(zeros, number):
    format = parse_zero_format("0" * zeros)
    assert format is not None
    shown = format.shown(number) or ""
    assert (int(shown), len(shown.lstrip("-")) >= zeros) == (number, True)


@given(st.text('0#-";\\[$] x', max_size=12), st.integers(-999, 99_999))
def test_any_code_keeps_every_digit_or_is_none_of_these(code, number):
    format = parse_zero_format(code)
    shown = format.shown(number) if format else None
    if shown is not None:
        digits = iter(shown)
        assert all(digit in digits for digit in str(abs(number)))
