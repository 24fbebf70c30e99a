"""How an import ended is said once, whichever read of the history sees it first."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from product_importer.core.errors import NotFound
from product_importer.imports.models import ImportStatus
from product_importer.imports.news import Look
from product_importer.imports.pages import history_state
from product_importer.imports.pages.history_state import HistoryState, ImportListing
from product_importer.imports.pages.view_models import ImportView
from product_importer.imports.schemas import ImportPage, ImportRead
from tests.imports.pages.test_view_models import read
from tests.waiting import finish

# Its methods are called with a stand-in for the state of a tab.
STATE: Any = HistoryState
ID = uuid4()
RUNS = read(id=ID, filename="mugs.csv", status="processing", created=0)
ENDED = read(id=ID, filename="mugs.csv", status="completed", created=1)
METHODS = ("_ends", "_enter", "_replace", "_take", "_compare")


class Tab(SimpleNamespace):
    """The state of a tab that shows one import."""

    def __init__(self, shown: ImportRead, followed: ImportRead | None = None) -> None:
        super().__init__(
            imports=[ImportView.of(shown)],
            _seen_running=frozenset(str(job.id) for job in (shown, followed) if job and not job.is_final),
            _said=frozenset(),
            running=ImportView.of(followed) if followed else ImportView(),
            listing=ImportListing(),
            total=1,
            router=SimpleNamespace(url=SimpleNamespace(path="/imports")),
            _nothing_new=lambda: None,
            _note=lambda *_: None,
        )
        for name in METHODS:
            setattr(self, name, partial(getattr(STATE, name), self))

    async def __aenter__(self) -> "Tab":
        return self

    async def __aexit__(self, *_: Any) -> None:
        """End the change."""

    async def follow(self) -> list[str]:
        """Follow what runs; return what is said."""
        return [str(said) async for said in HistoryState.event_handlers["follow_running"].fn(self)]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[ImportRead]:
    """What is read of the import, one after the other, by who follows it; it is found while the first one runs."""
    left: list[ImportRead] = []

    async def find_running() -> UUID | None:
        return ID if left else None

    async def watch(job_id: UUID) -> AsyncGenerator[ImportRead]:
        if not left:
            raise NotFound("gone")
        while left:
            yield left.pop(0)

    monkeypatch.setattr(history_state, "_find_running", find_running)
    monkeypatch.setattr(history_state, "watch", watch)
    return left


def page_of(job: ImportRead) -> ImportPage:
    return ImportPage(items=[job], total=1, page=1, pages=1, page_size=20)


def test_an_import_that_is_followed_to_its_end_is_said_once(reads):
    reads += [RUNS, ENDED]
    tab = Tab(RUNS)
    (said,) = finish(tab.follow())
    assert "mugs.csv" in said
    assert "1 product imported" in said
    assert tab._compare(Look(page_of(ENDED), [])) == ()


def test_an_import_that_ended_before_it_was_first_read_is_said(reads):
    reads += [ENDED]
    assert len(finish(Tab(RUNS).follow())) == 1


def test_an_import_that_was_never_seen_running_is_not_said(reads):
    reads += [ENDED]
    assert finish(Tab(ENDED).follow()) == []


def test_an_import_whose_following_was_broken_off_is_followed_again(reads, monkeypatch):
    async def found_nothing() -> None:
        """It has ended meanwhile."""

    monkeypatch.setattr(history_state, "_find_running", found_nothing)
    reads += [ENDED]
    assert len(finish(Tab(ENDED, followed=RUNS).follow())) == 1


def test_an_import_that_was_deleted_while_it_was_followed_is_let_go(reads):
    tab = Tab(RUNS, followed=RUNS)
    assert finish(tab.follow()) == []
    assert tab.running.id == ""


@pytest.mark.parametrize("how", ["look", "load"])
def test_an_end_is_said_by_the_read_that_sees_it_first_and_by_no_other(how, reads):
    reads += [ENDED]
    tab = Tab(RUNS, followed=RUNS)
    page = page_of(ENDED)
    assert len(tab._compare(Look(page, [])) if how == "look" else tab._take(page)) == 1
    assert [job.status for job in tab.imports] == [ImportStatus.COMPLETED]
    assert finish(tab.follow()) == []


def test_an_end_that_was_said_is_not_said_again_after_an_older_read(reads):
    tab = Tab(RUNS)
    assert len(tab._take(page_of(ENDED))) == 1
    tab._compare(Look(page_of(RUNS), []))
    assert tab._compare(Look(page_of(ENDED), [])) == ()
    # It was started again.
    tab._compare(Look(page_of(RUNS), []))
    again = ENDED.model_copy(update={"finished_at": datetime.now(UTC)})
    assert len(tab._compare(Look(page_of(again), []))) == 1


def test_what_ended_while_another_page_was_shown_is_no_news(reads):
    reads += [ENDED]
    tab = Tab(RUNS, followed=RUNS)
    tab._enter()
    assert tab._take(page_of(ENDED)) == ()
    assert finish(tab.follow()) == []
