"""What a page of webhooks has read before its own change does not undo that on the page."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from product_importer.webhooks.pages import list_state
from product_importer.webhooks.pages.list_state import WebhookState
from product_importer.webhooks.pages.view_models import WebhookView
from product_importer.webhooks.schemas import WebhookPage, WebhookRead

READ = WebhookRead.model_validate(
    {
        "id": uuid4(),
        "url": "https://shop.example/",
        "description": "",
        "event_types": ["import_failed"],
        "import_events": "summary",
        "enabled": True,
        "created_at": datetime.now(UTC),
        "updated_at": datetime.now(UTC),
        "disabled_reason": None,
        "last_delivery": None,
    }
)
# Its methods are called with a stand-in for the state of a tab.
STATE: Any = WebhookState


class Tab(SimpleNamespace):
    """The state of a tab that has switched a webhook off."""

    def __init__(self) -> None:
        super().__init__(
            webhooks=[WebhookView.of(READ)],
            list_page=1,
            pages=1,
            loaded=True,
            _url_id="",
            _counted=1,
            _changed_at=0.0,
        )
        self._note = lambda *_: None
        self._compare = lambda found, ids: STATE._compare(self, found, ids)

    async def __aenter__(self) -> "Tab":
        return self

    async def __aexit__(self, *_: Any) -> None:
        """End the change."""

    def switch_off(self) -> None:
        STATE._change(self, str(READ.id), enabled=False)


@pytest.mark.parametrize("is_switched", [True, False])
def test_the_list_does_not_show_what_was_read_before_a_switch(monkeypatch: pytest.MonkeyPatch, is_switched: bool):
    tab = Tab()

    class Reads:
        async def get(self, *_: Any) -> WebhookPage:
            if is_switched:
                tab.switch_off()
            return WebhookPage(items=[READ.model_copy(update={"description": "Read"})], total=1, page=1, page_size=20)

    monkeypatch.setattr(list_state, "_pages", Reads())
    asyncio.run(STATE._look(tab))
    assert (tab.webhooks[0].enabled, tab.webhooks[0].description) == ((False, "") if is_switched else (True, "Read"))


def test_the_page_of_a_webhook_does_not_show_what_was_read_before_a_switch():
    tab = Tab()
    before = tab._changed_at
    tab.switch_off()
    STATE._see(tab, READ, before)
    assert not tab.webhooks[0].enabled
    STATE._see(tab, READ, tab._changed_at)
    assert tab.webhooks[0].enabled


def test_a_list_that_was_read_before_a_switch_is_read_again(monkeypatch: pytest.MonkeyPatch):
    tab = Tab()

    async def read(_: int) -> WebhookPage:
        tab.switch_off()
        return WebhookPage(items=[READ], total=1, page=1, page_size=20)

    monkeypatch.setattr(list_state, "_load_page", read)
    assert asyncio.run(STATE.load_webhooks.fn(tab)) is not None
    assert not tab.webhooks[0].enabled
