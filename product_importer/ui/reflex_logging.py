"""Make Reflex log as the other processes do: whole lines, and only the names of events."""

import logging
import os

from reflex.event import Event


def write_whole_lines() -> None:
    """Let Reflex's loggers use the root logger's handler.

    The handler of `reflex run` breaks lines at the width of a terminal, so that text from outside could begin a line.
    """
    os.environ.pop("REFLEX_MANAGED_LOGGING", None)
    reflex = logging.getLogger("reflex")
    for handler in list(reflex.handlers):
        reflex.removeHandler(handler)
    reflex.propagate = True


def show_names_only() -> None:
    """Log events by their names.

    Reflex logs an event that no handler takes in full, with the headers of the connection and the tab's token.
    """
    Event.__repr__ = _name_of  # type: ignore[method-assign, assignment]


def _name_of(event: Event) -> str:
    return f"Event({event.name!r})"
