"""Let assets/connection.js see each event of the page, and each change of its connection."""

from typing import Any

from reflex.plugins import Plugin

from product_importer.ui.connection.limits import MAX_EVENT
from product_importer.ui.generated import STATE_JS, replace

IMPORT = 'import io from "socket.io-client";\n'
# What stands in Reflex's state.js, and what is put in its place.
EDITS = {
    IMPORT: f'{IMPORT}import * as connection from "$/public/connection.js";\n',
    "  const normalized = normalizeEvents(events);\n  if (prepend) {": (
        "  const release = (held) => queueEvents(held, socket, false, navigate, params);\n"
        "  const normalized = connection.admit(normalizeEvents(events), release);\n  if (prepend) {"
    ),
    'socket.emit("event", encodeFormDataArgs(routed_event));': (
        f"connection.send(socket, encodeFormDataArgs(routed_event), event, {MAX_EVENT});"
    ),
    "    reported_missing_substates.clear();\n    failed_attempts = 0;\n": (
        "    reported_missing_substates.clear();\n    failed_attempts = 0;\n"
        "    connection.connected(socket.current);\n"
    ),
    "    failed_attempts = Math.min(failed_attempts + 1, 10);\n": (
        '    failed_attempts = Math.min(failed_attempts + 1, 10);\n    connection.lost("failed");\n'
    ),
    "    window.__reflex_otel?.onSocketDisconnect?.(reason);\n": (
        "    window.__reflex_otel?.onSocketDisconnect?.(reason);\n    connection.lost(reason);\n"
    ),
    # A server that stops says goodbye, and is back soon.
    '      reason !== "io server disconnect" && reason !== "io client disconnect";': (
        '      reason !== "io client disconnect";'
    ),
    (
        "        for (const substate in delta) {\n          dispatch[substate](delta[substate]);\n        }\n"
        "        applyClientStorageDelta(client_storage, delta);\n"
    ): (
        "        connection.draw(() => {\n"
        "          for (const substate in delta) dispatch[substate](delta[substate]);\n        });\n"
        "        applyClientStorageDelta(client_storage, delta);\n"
    ),
    "      if (update.events && update.events.length > 0) {": (
        "      if (delta) connection.updated(delta);\n      if (update.events && update.events.length > 0) {"
    ),
}


class KeepEvents(Plugin):
    """Edits Reflex's generated frontend; decision 37 says why."""

    def pre_compile(self, **context: Any) -> None:
        """Register the edits."""
        context["add_modify_task"](STATE_JS, _keep_events)


def _keep_events(state_js: str) -> str:
    for before, after in EDITS.items():
        state_js = replace(before, after, state_js)
    return state_js
