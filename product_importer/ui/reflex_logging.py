"""How Reflex writes its log: whole lines as all our processes write them, and of events the names only."""

import logging
import os

from reflex.event import Event


def write_whole_lines() -> None:
    """Let Reflex's loggers write as ours do.

    The handler that `reflex run` gives them breaks lines at the width of a terminal: what comes from outside could
    begin a line of the log.
    """
    os.environ.pop("REFLEX_MANAGED_LOGGING", None)
    reflex = logging.getLogger("reflex")
    for handler in list(reflex.handlers):
        reflex.removeHandler(handler)
    reflex.propagate = True


def show_names_only() -> None:
    """Let events be written by their names.

    Reflex writes an event that no handler takes as it is, with all headers of the connection and the tab's token.
    """
    Event.__repr__ = _name_of  # type: ignore[method-assign, assignment]


def _name_of(event: Event) -> str:
    return f"Event({event.name!r})"
