"""Focus the first open question of the columns step when the page asks for an answer."""

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.typography import Div  # type: ignore[import-untyped]

from product_importer.imports.pages.drafts.draft_state import DraftState

# In this order: how the text reads right, a column that may be a missing field, any column, the reason in words.
QUESTIONS = (
    "[data-testid=likely-encoding] input",
    "[data-open=true] select:enabled",
    "[data-problem] ~ * [data-testid=column-target]",
    "[data-problem]",
)


class Asking(Div):
    """A part of a page that focuses its first open question when `asked` changes."""

    asked: rx.Var[int]

    def _exclude_props(self) -> list[str]:
        return [*super()._exclude_props(), "asked"]

    def add_imports(self) -> dict[str, str]:
        """Import the hook that `add_hooks` uses."""
        return {"react": "useEffect"}

    def add_hooks(self) -> list[str | rx.Var[Any]]:
        """Focus the question that comes first."""
        found = " ?? ".join(f'part.querySelector("{question}")' for question in QUESTIONS)
        follow = f"""
useEffect(() => {{
    const part = {self.get_ref()}.current;
    if (!part || !{self.asked}) return;
    ({found})?.focus();
}}, [{self.asked}]);"""
        return [rx.Var(follow, _var_data=self.asked._get_all_var_data())]


def asking(*content: rx.Component, **props: Any) -> rx.Component:
    """Return the part of a draft's page whose first open question is focused."""
    return Asking.create(*content, id="draft", asked=DraftState.asked, **props)
