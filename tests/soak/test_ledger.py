"""What a soak run keeps of what was wrong."""

from soak.ledger import Ledger


def test_what_is_wrong_is_kept_and_what_is_right_is_not():
    ledger = Ledger()
    assert ledger.check([1], "right") and not ledger.wrong
    assert not ledger.check([], "a row is missing")
    with ledger.blaming("an import"):
        raise AssertionError("it does not end")
    with ledger.blaming("another import"):
        pass
    first, second = ledger.wrong
    assert first.endswith("s: a row is missing") and second.endswith(
        "s: an import: AssertionError('it does not end')"
    )


def test_done_events_doubts_and_kills_are_counted():
    ledger = Ledger()
    for _ in range(3):
        ledger.note("undo")
        ledger.expect("import_completed")
    ledger.doubt("import_completed")
    ledger.killed("web")
    assert (ledger.done["undo"], ledger.events["import_completed"], ledger.doubts["import_completed"]) == (3, 3, 1)
    assert dict(ledger.kills) == {"web": 1}
