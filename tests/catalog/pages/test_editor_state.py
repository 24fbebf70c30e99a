"""The form of a product when answers come in another order than they were asked for."""

from types import SimpleNamespace
from typing import Any, Self
from uuid import uuid4

import pytest

from product_importer.catalog.pages import editor_state
from product_importer.catalog.pages.editor_state import EditorState
from tests.waiting import finish

# Its methods are called with a stand-in for the state of a tab.
STATE: Any = EditorState


class Tab(SimpleNamespace):
    """The state of a tab whose form number 1 was the last one."""

    def __init__(self) -> None:
        super().__init__(form=SimpleNamespace(number=1), opened=[])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def _open(self, product: object) -> None:
        self.opened.append(product)


@pytest.mark.parametrize(("number", "opened"), [(1, ["product"]), (2, [])])
def test_a_form_that_comes_late_does_not_replace_one_that_was_opened_meanwhile(monkeypatch, number, opened):
    tab = Tab()

    async def ask(*_: object) -> str:
        tab.form.number = number
        return "product"

    monkeypatch.setattr(editor_state, "ask", ask)
    finish(STATE.edit_product.fn(tab, str(uuid4())))
    assert tab.opened == opened
