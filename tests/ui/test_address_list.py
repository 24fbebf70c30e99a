"""Which addresses a list has navigated to itself."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from product_importer.ui.address_list import MAX_NAVIGATIONS, AddressListState, Listing


@dataclass(frozen=True)
class Words(Listing):
    ROUTE: ClassVar[str] = "/words"

    q: str = ""
    sort: str = ""

    def texts(self) -> tuple[str, ...]:
        return (self.q,)


@pytest.fixture
def state() -> Any:
    """What both methods use of a state."""
    return SimpleNamespace(listing=Words(), _navigated_to=(), _typing="", loading=False)


def navigate(state: Any, listing: Words) -> None:
    AddressListState._show(state, listing, None)


def told(state: Any, query: str) -> dict[str, str] | None:
    """Return what the state reads of the address when the browser tells of it."""
    state.router = SimpleNamespace(url=SimpleNamespace(query=query))
    return AddressListState._new_parameters(state)


def test_a_browser_that_tells_late_of_two_navigations_takes_back_neither(state):
    navigate(state, Words("a"))
    navigate(state, Words("a", "name"))
    assert [told(state, "q=a"), told(state, "sort=name&q=a")] == [None, None]
    assert told(state, "q=a") == {"q": "a"}


def test_a_browser_that_tells_only_of_the_last_navigation_goes_back_to_the_first(state):
    navigate(state, Words("a"))
    navigate(state, Words("b"))
    assert told(state, "q=b") is None
    assert told(state, "q=a") == {"q": "a"}


def test_what_somebody_chooses_forgets_all_navigations(state):
    navigate(state, Words("a"))
    assert told(state, "q=elsewhere") == {"q": "elsewhere"}
    assert told(state, "q=a") == {"q": "a"}


def test_few_navigations_are_kept(state):
    for number in range(MAX_NAVIGATIONS + 5):
        navigate(state, Words(str(number)))
    assert len(state._navigated_to) == MAX_NAVIGATIONS
