"""Put our words in the place of what Reflex and React Router would say to people."""

from typing import Any

from reflex.plugins import Plugin

from product_importer.ui import styles
from product_importer.ui.generated import STATE_JS, insert_after, replace

ROOT = "app/root.jsx"
TITLE = "This page cannot be shown"
TEXT = "The application made an error, or its server is away. Load the page again: what is stored is not touched."
AGAIN = "Load again"
BOX = "mx-auto grid max-w-[560px] justify-items-start gap-4 px-6 py-24"
APP = """\
export default function App() {
  return jsx(Outlet, {});
}
"""
# React Router shows it when the code of a page cannot be loaded.
BOUNDARY = f"""
export function ErrorBoundary() {{
  return jsx("main", {{ role: "alert", className: "{BOX}" }},
    jsx("h1", {{ className: "{styles.TITLE}" }}, "{TITLE}"),
    jsx("p", {{}}, "{TEXT}"),
    jsx("button", {{ className: "{styles.button_look("primary")}", onClick: () => location.reload() }}, "{AGAIN}"),
  );
}}
"""
# Of the bar that Reflex shows above a page that is older than the server.
WORDS = {
    "A new version of this app is available.": "Product Importer was updated. Load the page again to use it.",
    'button.textContent = "Reload";': f'button.textContent = "{AGAIN}";',
}


class OwnWords(Plugin):
    """Edits Reflex's generated frontend."""

    def pre_compile(self, **context: Any) -> None:
        """Register the edits."""
        context["add_modify_task"](STATE_JS, _change_words)
        context["add_modify_task"](ROOT, _add_boundary)


def _change_words(state_js: str) -> str:
    for theirs, ours in WORDS.items():
        state_js = replace(theirs, ours, state_js)
    return state_js


def _add_boundary(root: str) -> str:
    return insert_after(APP, BOUNDARY, root)
