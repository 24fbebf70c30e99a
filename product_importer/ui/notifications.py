"""The browser's notifications: whether a person wants them, and how they are shown.

The browser alone remembers the choice, for all tabs. Only pages that came safely may notify: by TLS, or from this
machine.
"""

import json

import reflex as rx
from reflex.event import EventSpec

from product_importer.ui.widgets import button

STATES = ("on", "off", "denied", "unsupported")
KNOWN = """(() => {
    if (!window.isSecureContext || !("Notification" in window)) return "unsupported";
    if (Notification.permission === "denied") return "denied";
    let wanted = null;
    try { wanted = localStorage.getItem("notify"); } catch { /* no storage */ }
    return Notification.permission === "granted" && wanted === "on" ? "on" : "off";
})()"""
# The browser may be asked only because of a click.
SWITCH = """(async () => {
    const wants = KNOWN !== "on";
    if (wants && Notification.permission !== "granted") await Notification.requestPermission();
    try { localStorage.setItem("notify", wants ? "on" : "off"); } catch { /* no storage */ }
    return KNOWN;
})()""".replace("KNOWN", KNOWN)
# With the same tag, several tabs show one notification. Some browsers let only service workers notify.
SHOW = """(() => {
    const given = GIVEN;
    if (KNOWN !== "on") return;
    try {
        const shown = new Notification(given.title, { body: given.text, tag: given.tag, icon: "/favicon.svg" });
        shown.onclick = () => { window.focus(); location.assign(given.address); shown.close(); };
    } catch { /* not here */ }
})()""".replace("KNOWN", KNOWN)


class NotificationState(rx.State):
    """What one browser tab says of notifications; empty until it has said."""

    permission: str = ""

    @rx.event
    def take_permission(self, permission: str) -> None:
        """Take what the browser says."""
        self.permission = permission if permission in STATES else "unsupported"


def notify_button(testid: str) -> rx.Component:
    """Return the button that switches notifications; nothing where the browser has none."""
    state = NotificationState.permission
    switch = button(
        # An icon whose name is a variable would load the names of all icons.
        rx.match(state, ("on", _icon("bell-ring")), ("denied", _icon("bell-off")), _icon("bell")),
        rx.match(state, ("on", "You will be notified"), ("denied", "Notifications are blocked"), "Notify me"),
        on_click=rx.call_script(SWITCH, callback=NotificationState.take_permission),
        title=rx.cond(state == "on", "Click to switch it off", "Show a message of the browser when it ends"),
        # Until it is known, it keeps its room.
        kind=rx.cond(state == "", "invisible", ""),
        custom_attrs={"data-state": state},
        data_testid=testid,
    )
    return rx.el.div(
        rx.cond(state == "unsupported", rx.fragment(), switch),
        on_mount=rx.call_script(KNOWN, callback=NotificationState.take_permission),
        class_name="contents",
    )


def _icon(name: str) -> rx.Component:
    return rx.icon(name, size=16, aria_hidden="true")


def how_to_allow() -> rx.Component:
    """Return what to do where the person, or the browser, has denied notifications; it is there from the start."""
    return rx.el.p(
        rx.cond(
            NotificationState.permission == "denied",
            "The browser blocks notifications of this site. Allow them in the site's settings, which open beside the "
            "address, then click again.",
            "",
        ),
        role="status",
        class_name="text-xs text-muted empty:hidden",
        data_testid="notify-help",
    )


def notify(title: str, text: str, *, tag: str, address: str) -> EventSpec:
    """Show a notification where the person wants them; a click on it opens `address`, a path of ours."""
    given = json.dumps({"title": title, "text": text, "tag": tag, "address": address})
    # `<` is escaped, because Reflex evaluates `<reflex.Var>…</reflex.Var>` in any text.
    return rx.call_script(SHOW.replace("GIVEN", given.replace("<", r"\u003c")))
