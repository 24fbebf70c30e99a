"""What the server knows of a tab's connections."""

from uuid import uuid4

from product_importer.ui.connection import state


def test_an_event_with_a_number_is_taken_once_for_each_tab():
    number = str(uuid4())
    assert [state.is_new("tab", number), state.is_new("tab", number), state.is_new("other", number)] == [
        True,
        False,
        True,
    ]


def test_an_event_without_a_number_is_always_taken():
    long = "x" * (state.MAX_NUMBER + 1)
    assert all(state.is_new("tab", number) for number in (None, None, 7, 7, ["x"], long, long))
    assert not any(number == long for _, number in state._taken)


def test_old_numbers_are_forgotten():
    first = str(uuid4())
    state.is_new("tab", first)
    for _ in range(state.MAX_TAKEN):
        state.is_new("tab", str(uuid4()))
    assert len(state._taken) == state.MAX_TAKEN
    assert state.is_new("tab", first)
