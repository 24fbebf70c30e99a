"""What the page asks before an upload becomes an import."""

import pytest

from product_importer.core.errors import Conflict
from product_importer.core.storage import storage
from product_importer.imports.options import ImportOptions
from product_importer.imports.upload.receiver import IncomingUpload

TITLED = b"Price list,,\nsku,name,description\nK-1,A,a\n"


def accept(content: bytes, **options: object):
    chosen = ImportOptions.model_validate(options)
    with IncomingUpload("a.csv", chosen) as incoming:
        incoming.write(content)
        return incoming.accept(chosen, ask_header_line=True)


def test_a_header_found_below_the_first_line_is_asked_for(database):
    with pytest.raises(Conflict) as question:
        accept(TITLED)
    assert question.value.extra == {"header_line": 2}
    assert ("line 2" in question.value.title, "sku, name, description" in question.value.detail) == (True, True)
    assert list(storage().keys()) == []
    assert accept(TITLED, header_line=2).format.header_line == 2


@pytest.mark.parametrize("content", [TITLED.partition(b"\n")[2], b"\n\n ,,\n" + TITLED.partition(b"\n")[2]])
def test_a_header_in_the_first_line_is_not_asked_for(database, content):
    assert accept(content).format.header_line is None
