"""Send a tab to the sign-in page."""

import reflex as rx
from reflex.event import Event, EventSpec
from reflex.state import StateUpdate

from product_importer.access.gate.authentication import SIGN_IN

# The page is loaded anew, so that nothing of the old one stays in the browser's memory; it may not ask back.
LEAVE = f"""(() => {{
    window.onbeforeunload = null;
    const at = location.pathname + location.search;
    location.replace(at === '/' ? '{SIGN_IN}' : '{SIGN_IN}?next=' + encodeURIComponent(at));
}})()"""


def go_to_sign_in() -> EventSpec:
    """Return the event that sends a tab to the sign-in page, which leads back to where it was."""
    return rx.call_script(LEAVE)


def leave() -> StateUpdate:
    """Return the update that does so."""
    return StateUpdate(events=Event.from_event_type([go_to_sign_in()]))
