"""The main part of a page: it takes the focus that would be lost, and remembers the role for the next page."""

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.sectioning import Section  # type: ignore[import-untyped]

from product_importer.ui.access_state import AccessState

# What had the focus may be removed, such as the row that was deleted. The focus would be at the top of the page then.
# The heading takes it, because it shows that it has it, and says what the page is about.
KEEP_FOCUS = """
useEffect(() => {
    let last = null;
    const remember = (event) => { last = event.target; };
    const rescue = new MutationObserver(() => {
        if (!last || last.isConnected || document.activeElement !== document.body) return;
        last = null;
        document.querySelector("#content h1").focus({ preventScroll: true });
    });
    document.addEventListener("focusin", remember);
    rescue.observe(document.body, { childList: true, subtree: true });
    return () => { document.removeEventListener("focusin", remember); rescue.disconnect(); };
}, []);"""
# What led to another page is not on it. The browser itself begins at the top of a page that it loads: that stays.
BEGIN_AT_HEADING = """
useEffect(() => {
    const lost = document.activeElement === document.body;
    if (window.pageWasLeft && lost) document.querySelector("#content h1").focus({ preventScroll: true });
    return () => { window.pageWasLeft = true; };
}, []);"""
# assets/role.js reads it before the next page is drawn.
REMEMBER_ROLE = f"""
useEffect(() => {{
    if (!{AccessState.is_known}) return;
    document.documentElement.dataset.role = {AccessState.role};
    try {{ localStorage.setItem("role", {AccessState.role}); }} catch {{ /* no storage */ }}
}}, [{AccessState.is_known}, {AccessState.role}]);"""


class Content(Section):
    """The `main` element."""

    tag = "main"

    def add_imports(self) -> dict[str, str]:
        """Import the hook that `add_hooks` uses."""
        return {"react": "useEffect"}

    def add_hooks(self) -> list[str | rx.Var[Any]]:
        """Add the effects."""
        return [KEEP_FOCUS, BEGIN_AT_HEADING, rx.Var(REMEMBER_ROLE, _var_data=AccessState.role._get_all_var_data())]
