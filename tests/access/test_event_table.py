"""The table of event handlers has no gap, and nothing that is gone."""

from reflex_base.registry import RegistrationContext

from product_importer.access import permissions
from product_importer.access.pages.guard import handler_name
from product_importer.product_importer import app

assert app, "it registers all handlers"
HANDLERS = RegistrationContext.get().event_handlers


def test_every_handler_is_listed():
    """Those that Reflex makes for each state are not: they would let anybody set any field."""
    names = {handler_name(event) for event in HANDLERS}
    missing = {name for name in names if not name.endswith(".setvar")} - set(permissions.EVENTS)
    assert not missing, f"add to EVENTS of product_importer/access/permissions.py: {sorted(missing)}"
    assert set(permissions.EVENTS) - names == set(), "these handlers do not exist any more"
    assert not [name for name in permissions.EVENTS if name.endswith(".setvar")]


def test_no_two_states_have_the_same_name():
    """The table knows them by the names of their classes alone."""
    states = {registered.states[0] for registered in RegistrationContext.get().event_handlers.values()}
    names = [state.__name__ for state in states]
    assert sorted(names) == sorted(set(names))
