"""Find the values before and after each change, by walking from the newest version of a product backwards."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from product_importer.access.audit import cut
from product_importer.catalog.history.changes import Change, Values
from product_importer.catalog.history.schemas import ChangedField, ChangeKind
from product_importer.catalog.record import FIELDS

ATTRIBUTE = "attribute."
NOTHING = ""


@dataclass(frozen=True)
class State:
    """What is known of the values of one version, by field; `has_all` if no attribute is missing."""

    values: dict[str, Any] = field(default_factory=dict)
    has_all: bool = False

    @classmethod
    def of(cls, given: Values) -> "State":
        """Return the state that the fields of a product are, with all their attributes."""
        return cls(_flat(given), has_all=True)

    def get(self, name: str) -> Any:
        """Return the value of a field, None if it is not known."""
        is_absent = self.has_all and name.startswith(ATTRIBUTE)
        return self.values.get(name, NOTHING if is_absent else None)

    def with_values(self, given: Values, *, is_whole: bool, wins: bool) -> "State":
        """Return the state with further values; where both have one, those given win or lose."""
        known, flat = self.values, _flat(given)
        if is_whole and "attributes" in given:
            if self.has_all and not wins:
                flat = {name: value for name, value in flat.items() if not name.startswith(ATTRIBUTE)}
            else:
                known = {name: value for name, value in known.items() if not name.startswith(ATTRIBUTE)}
        has_all = self.has_all or (is_whole and "attributes" in given)
        return State({**known, **flat} if wins else {**flat, **known}, has_all)


UNKNOWN = State()


def walk(changes: Iterable[Change], newest: State, version: int) -> Iterator[list[ChangedField] | None]:
    """Yield the differences that each change made, newest first; None where it is not known what they are.

    `newest` is the state of `version`, which the first change has made.
    """
    state, restored = newest, dict[int, State]()
    for change in changes:
        if change.version != version:
            # Something between is not known any more.
            state = restored.get(change.version, UNKNOWN)
        after = _after(change, state)
        if change.as_version is not None:
            restored[change.as_version] = after
        before = _before(change, after, restored)
        yield _differences(change, before, after)
        state, version = before, change.version - (change.kind != ChangeKind.DELETED)


def _after(change: Change, state: State) -> State:
    given = change.after if change.kind != ChangeKind.DELETED else change.before
    return state if given is None else state.with_values(given, is_whole=change.is_whole, wins=False)


def _before(change: Change, after: State, restored: dict[int, State]) -> State:
    if change.kind in (ChangeKind.DELETED, ChangeKind.RESTORED):
        return after
    if change.before is None:
        return restored.get(change.version - 1, UNKNOWN)
    return after.with_values(change.before, is_whole=change.is_whole, wins=True)


def _differences(change: Change, before: State, after: State) -> list[ChangedField] | None:
    """Return the fields in which the states differ, those whose later value is not known included."""
    names = sorted({*before.values, *after.values}, key=_place)
    match change.kind:
        case ChangeKind.CREATED:
            given = [ChangedField(field=name, before=None, after=after.get(name)) for name in names]
            return [one for one in given if one.after != NOTHING] or None
        case ChangeKind.DELETED:
            given = [ChangedField(field=name, before=before.get(name), after=None) for name in names]
            return [one for one in given if one.before != NOTHING] or None
    pairs = ((name, before.get(name), after.get(name)) for name in names)
    changed = [
        ChangedField(field=name, before=old, after=new) for name, old, new in pairs if old is not None and old != new
    ]
    return None if before is UNKNOWN else changed


def _place(name: str) -> tuple[int, str]:
    """Return the place of a field among others: those that all products have, then attributes by name."""
    return FIELDS.index(name) if name in FIELDS else len(FIELDS), name


def _flat(given: Values) -> dict[str, Any]:
    """Return the values with each attribute by itself; long texts are cut as in the record."""
    fields = {name: cut(value) for name, value in given.items() if not isinstance(value, dict)}
    return fields | {f"{ATTRIBUTE}{name}": cut(value) for name, value in (given.get("attributes") or {}).items()}
