"""Edits of what Reflex generates: each is made once, or the build fails."""

from pathlib import Path

import pytest
import reflex_base

from product_importer.ui import own_words
from product_importer.ui.connection import plugin
from product_importer.ui.generated import replace


def test_reflexs_state_js_has_every_place_that_is_edited():
    source = (Path(reflex_base.__file__).parent / ".templates/web/utils/state.js").read_text()
    edited = plugin._keep_events(source)
    assert all(after in edited for after in plugin.EDITS.values())
    assert plugin._keep_events(edited) == edited


def test_the_words_of_reflex_are_where_they_are_changed():
    source = (Path(reflex_base.__file__).parent / ".templates/web/utils/state.js").read_text()
    assert not any(theirs in own_words._change_words(source) for theirs in own_words.WORDS)


def test_a_place_that_has_moved_stops_the_build():
    with pytest.raises(RuntimeError, match="'there' has moved"):
        replace("there", "instead", "somewhere else")
