"""Find what each column of a draft's file becomes: by choice, by a saved mapping, by its name, or by a guess."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from product_importer.core.edges import trim
from product_importer.imports.columns.header import FIELDS, REJECT_COLUMNS, REQUIRED, fold
from product_importer.imports.columns.suggestions import suggest
from product_importer.imports.drafts.schemas import SAMPLES, DraftColumn, Found
from product_importer.imports.options import ATTRIBUTE, IGNORE
from product_importer.imports.parsing.header_sample import HeaderSample

# What an import would not find by the names alone.
TOLD = (Found.GUESSED, Found.REMEMBERED, Found.CHOSEN)


class Fate(NamedTuple):
    """What a column becomes, as `ImportOptions.columns` says it, and how that was found."""

    target: str
    found: Found


def columns_of(
    head: HeaderSample, chosen: Mapping[str, str] | None, saved: Mapping[str, str] | None
) -> list[DraftColumn]:
    """Return the columns of a file; what was chosen comes before the saved mapping, and that before the names.

    Columns that the file does not have are passed over: they were chosen when it was read in another way.
    """
    names = [trim(name) for name in head.names]
    return [
        DraftColumn(position=place, name=name, samples=_samples(head.sample, place), target=target, found=found)
        for place, (name, (target, found)) in enumerate(
            zip(names, _fates(names, head.sample, chosen or {}, saved or {}), strict=True)
        )
    ]


def missing_fields(columns: Sequence[DraftColumn]) -> list[str]:
    """Return the required fields that no column fills."""
    return [field for field in REQUIRED if all(column.target != field for column in columns)]


def told(columns: Sequence[DraftColumn]) -> dict[str, str]:
    """Return the mapping that makes an import read the columns as they are shown, without a guess of its own."""
    by_name = {fold(column.name): column for column in columns if column.found in TOLD}
    return {column.name: column.target for column in by_name.values()}


def _fates(
    names: Sequence[str], sample: Sequence[Sequence[str]], chosen: Mapping[str, str], saved: Mapping[str, str]
) -> list[Fate]:
    own = {fold(name): target for name, target in chosen.items()}
    remembered = {fold(name): target for name, target in saved.items()}
    fates = _found(names, sample, own, remembered)
    if not own:
        return fates
    unasked = _found(names, sample, {}, remembered)
    return [
        _confirmed(fate, before) if fate.found == Found.CHOSEN else fate
        for fate, before in zip(fates, unasked, strict=True)
    ]


def _confirmed(fate: Fate, unasked: Fate) -> Fate:
    """Return a chosen fate, or how it would have been found if that is the same."""
    if fate.target != unasked.target:
        return fate
    return Fate(fate.target, Found.KEPT) if unasked.found == Found.OPEN else unasked


def _found(
    names: Sequence[str], sample: Sequence[Sequence[str]], own: Mapping[str, str], saved: Mapping[str, str]
) -> list[Fate]:
    folded = list(map(fold, names))
    taken = {target for name, target in own.items() if name in folded and target in FIELDS}
    kept = {name: target for name, target in saved.items() if name not in own and target not in taken}
    taken |= {target for name, target in kept.items() if name in folded}
    fates = [_known(name, own, kept, taken) for name in folded]
    missing = [field for field in FIELDS if all(fate is None or fate.target != field for fate in fates)]
    guesses: dict[int, str] = {}
    if set(missing) & set(REQUIRED):
        guesses = _guesses(names, folded, sample, fates, missing)
    is_open = not set(missing) & set(REQUIRED) <= set(guesses.values())
    return [
        fate
        or (
            Fate(guesses[place], Found.GUESSED)
            if place in guesses
            else Fate(ATTRIBUTE, Found.OPEN if is_open and _samples(sample, place) else Found.KEPT)
        )
        for place, fate in enumerate(fates)
    ]


def _known(name: str, own: Mapping[str, str], saved: Mapping[str, str], taken: set[str]) -> Fate | None:
    """Return what a column becomes without a guess; None if nothing is known."""
    if name in REJECT_COLUMNS:
        return Fate(IGNORE, Found.EXACT)
    if name in own:
        return Fate(own[name], Found.CHOSEN)
    if name in saved:
        return Fate(saved[name], Found.REMEMBERED)
    return Fate(name, Found.EXACT) if name in FIELDS and name not in taken else None


def _guesses(
    names: Sequence[str],
    folded: Sequence[str],
    sample: Sequence[Sequence[str]],
    fates: Sequence[Fate | None],
    wanted: Sequence[str],
) -> dict[int, str]:
    """Return the fields that columns probably fill, by their positions: of those that nothing is known of."""
    counts = Counter(folded)
    # A column is named by its name, so columns of one name cannot be told apart.
    free = [
        name if fate is None and counts[key] == 1 else ""
        for name, key, fate in zip(names, folded, fates, strict=True)
    ]
    return {names.index(name): field for field, name in suggest(free, sample, wanted).items() if name}


def _samples(sample: Sequence[Sequence[str]], place: int) -> list[str]:
    """Return the first cells of a column that are not blank."""
    cells: list[str] = []
    for row in sample:
        if place < len(row) and trim(row[place]):
            cells.append(row[place])
            if len(cells) == SAMPLES:
                break
    return cells
