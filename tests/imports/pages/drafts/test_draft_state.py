"""What a draft's page shows when answers come in another order than they were asked for."""

from types import SimpleNamespace
from typing import Any, Self
from uuid import UUID, uuid4

import pytest

from product_importer.core.errors import Conflict, NotFound
from product_importer.imports.drafts.schemas import DraftStatus
from product_importer.imports.options import ImportOptions
from product_importer.imports.pages.drafts import chosen_options, draft_state
from product_importer.imports.pages.drafts.draft_state import DraftState
from tests.waiting import finish


class Tab(SimpleNamespace):
    """The state of one tab, with what the handlers of a draft's page use of it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def _show_draft(self, draft: object) -> None:
        pass

    def _must_read(self, draft: object) -> bool:
        return not self.shown

    def _is_choosing(self) -> bool:
        return DraftState._is_choosing(self)  # type: ignore[arg-type]

    async def _answer(self, found: object) -> None:
        pass

    def _show_read(self, draft: object, found: object) -> None:
        self.shown.append(found)


@pytest.fixture
def tab(monkeypatch: pytest.MonkeyPatch) -> Tab:
    """A tab that shows a draft whose file has arrived, and has read nothing of it yet."""

    async def ask(*_: object) -> SimpleNamespace:
        return SimpleNamespace(status=DraftStatus.RECEIVED)

    monkeypatch.setattr(draft_state, "ask", ask)
    monkeypatch.setattr(draft_state, "Tab", lambda _: SimpleNamespace(shows=lambda _: True))
    options = ImportOptions()
    return Tab(_shown=str(uuid4()), _options=options, _is_saving=False, _is_outdated=False, fault="", shown=[])


def follow(tab: Tab, monkeypatch: pytest.MonkeyPatch, during: dict[str, Any]) -> bool:
    """Look at the draft once, while `during` becomes of the tab; return whether it is looked at again."""

    def preview(_: UUID) -> str:
        vars(tab).update(during)
        return "preview"

    monkeypatch.setattr(draft_state, "preview", preview)
    return finish(DraftState._follow(tab, UUID(tab._shown)))  # type: ignore[arg-type]


def test_a_preview_is_shown(tab, monkeypatch):
    assert not follow(tab, monkeypatch, {})
    assert tab.shown == ["preview"]


@pytest.mark.parametrize(
    "during", [{"_options": ImportOptions(mode="update")}, {"_is_saving": True}, {"_is_outdated": True}]
)
def test_a_preview_from_before_a_choice_is_not_shown_but_made_again(tab, monkeypatch, during):
    assert follow(tab, monkeypatch, during)
    assert tab.shown == []
    vars(tab).update(_is_saving=False, _is_outdated=False)
    assert not follow(tab, monkeypatch, {})
    assert tab.shown == ["preview"]


def test_a_choice_that_failed_does_not_keep_the_columns_from_being_shown(tab, monkeypatch):
    vars(tab).update(_is_outdated=True, fault="The database does not answer.")
    assert not follow(tab, monkeypatch, {})
    assert tab.shown == ["preview"]


@pytest.mark.parametrize(("is_dry_run", "step"), [(True, "check"), (False, "import")])
def test_a_start_that_is_not_answered_yet_leads_to_its_step(tab, is_dry_run, step):
    vars(tab).update(draft=SimpleNamespace(id=tab._shown, will_start=""), _has_left=False, _starts_dry_run=is_dry_run)
    leaving = finish(DraftState._leave(tab, tab._shown))
    assert f"?step={step}" in str(leaving)


@pytest.mark.parametrize(("is_outdated", "sent"), [(False, {"a": "sku"}), (True, None)])
def test_columns_of_an_older_reading_are_not_started_with(tab, monkeypatch, is_outdated, sent):
    """What was chosen is in the options; what else becomes of the columns is found in the newest reading."""
    started: list[Any] = []

    async def ask(_: object, __: object, ___: object, columns: object, ____: bool) -> None:
        started.append(columns)
        raise NotFound("draft")

    monkeypatch.setattr(draft_state, "ask", ask)
    monkeypatch.setattr(draft_state, "told", lambda columns: columns)
    tab.is_starting, tab.problem, tab._is_outdated = False, SimpleNamespace(title=""), is_outdated
    tab._preview, tab.draft = SimpleNamespace(columns={"a": "sku"}), SimpleNamespace(id="")
    tab._has_left = True

    async def leave(_: str) -> None:
        pass

    tab._leave = leave
    finish(DraftState._start(tab, dry_run=False))
    assert started == [sent]


def test_a_save_that_fails_for_an_earlier_draft_does_not_keep_a_choice_for_the_next_one(tab, monkeypatch):
    async def ask(*_: object) -> None:
        vars(tab).update(_shown=str(uuid4()), _is_outdated=True)
        raise Conflict("It is being imported.")

    monkeypatch.setattr(chosen_options, "ask", ask)
    assert finish(DraftState._save(tab))
    assert tab.fault == ""
