"""The ids of an import's parts: its prefix and their numbers, as texts."""

from uuid import UUID

import pytest

from product_importer.core.ids import id_prefix, id_range, new_id
from product_importer.imports.pipeline.numbered_ids import numbered


@pytest.mark.parametrize(
    "numbers", [range(0), range(3), range((1 << 31) - 2, (1 << 31) + 2), [(1 << 32) - 1, 7, 0x12AB34CD]]
)
def test_an_id_is_the_prefix_and_the_number(numbers):
    owner = new_id()
    made = [UUID(text) for text in numbered(owner, numbers).to_pylist()]
    assert made == [UUID(f"{id_prefix(owner)}{number:08x}") for number in numbers]
    assert all(id_range(owner)[0] <= one <= id_range(owner)[1] for one in made)


def test_a_number_that_does_not_fit_is_an_error():
    with pytest.raises(OverflowError):
        numbered(new_id(), [1 << 32])
