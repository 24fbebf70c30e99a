"""Old Office files and workbooks with a password are told from each other by their directory."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.core.errors import Invalid
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing import compound_files
from product_importer.imports.parsing.compound_files import names_in, refuse_others
from product_importer.imports.upload.receiver import IncomingUpload
from tests.imports.parsing.compound_file import compound_file
from tests.imports.parsing.reading import detected

LOCKED = ["EncryptionInfo", "\x06DataSpaces", "Version", "DataSpaceMap", "EncryptedPackage"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (LOCKED, "with a password"),
        (["Workbook", "\x05SummaryInformation"], "an old Excel workbook (.xls)"),
        (["Book"], "an old Excel workbook (.xls)"),
        (["WordDocument", "1Table"], "Word document"),
        (["PowerPoint Document"], "PowerPoint"),
        (["Contents"], "or a damaged one"),
        ([], "or a damaged one"),
    ],
)
@pytest.mark.parametrize("piece", [1, 100_000])
def test_a_compound_file_is_named(names, words, piece):
    with pytest.raises(Invalid) as raised:
        detected(compound_file(names), piece=piece)
    assert raised.value.kind == "not-csv"
    assert words in raised.value.detail
    assert ("password" in raised.value.detail) == (names == LOCKED)


@pytest.mark.parametrize("shift", [9, 12])
@pytest.mark.parametrize("before", [0, 3, 200, 109 * 128 + 1, 250 * 128])
@pytest.mark.parametrize("is_chained_back", [False, True])
def test_a_directory_is_found_wherever_it_is(shift, before, is_chained_back):
    names = [f"stream {number}" for number in range(40)]
    content = compound_file(
        names, shift=shift, before=before if shift == 9 else before // 8, is_chained_back=is_chained_back
    )
    assert list(names_in(io.BytesIO(content))) == names


def test_a_directory_in_a_circle_ends():
    content = bytearray(compound_file(["a", "b", "c", "d", "e"]))
    table = 512 * 3
    struct.pack_into("<I", content, table + 4, 0)
    assert len(list(names_in(io.BytesIO(bytes(content))))) < 4 * compound_files.MAX_DIRECTORY_SECTORS


@given(st.integers(0, 4_000), st.integers(0, 1_500), st.binary(max_size=8))
def test_a_damaged_file_is_named_too(cut, at, noise):
    content = bytearray(compound_file(LOCKED)[:cut])
    content[at : at + len(noise)] = noise
    with pytest.raises(Invalid, match="This is an "):
        refuse_others(io.BytesIO(bytes(content)))


def test_the_whole_file_is_received_before_it_is_named(database):
    """Its directory may be at its end. The options are known, as on the page."""
    content = compound_file(LOCKED, before=1_000)
    with IncomingUpload("a.xlsx", ImportOptions()) as incoming:
        for start in range(0, len(content), 50_000):
            incoming.write(content[start : start + 50_000])
        with pytest.raises(Invalid, match="with a password"):
            incoming.accept()
