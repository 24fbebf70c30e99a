"""Make catalogues for the benchmark: the same rows for the same seed, with word frequencies as in real texts."""

import os
import random
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from bench.folder import FOLDER

LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
VOCABULARY = 10_000
ROWS_PER_PIECE = 10_000


@dataclass(frozen=True)
class Catalogue:
    """The content of a file: `rows` rows of about 120 bytes each, in a random order of SKUs.

    `revised` is the share of rows whose description differs from that in the catalogue with `revised=0` or with
    another `edition`. `repeated` is the share of rows whose SKU is in the file twice. A `suffix` makes different SKUs
    that sort between those without it; `spread` takes only every n-th number.
    """

    rows: int
    revised: float = 0.0
    edition: int = 1
    repeated: float = 0.0
    suffix: str = ""
    spread: int = 1
    seed: int = 1

    def file(self) -> Path:
        """Return the path of its CSV, which is written at the first call."""
        path = FOLDER / "files" / f"{'_'.join(map(str, astuple(self)))}.csv"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".part")
            with unfinished.open("wb") as file:
                file.writelines(csv_pieces(self))
                # Write it to the disk now, not during the next measurement.
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(path)
        return path

    @property
    def products(self) -> int:
        """The number of products in the file."""
        return self.rows - self.repeats

    @property
    def repeats(self) -> int:
        """The number of rows with the SKU of another row."""
        return int(self.rows * self.repeated)


def words(seed: int = 1) -> list[str]:
    """Return the vocabulary, the most common word first; lengths and letters as in English."""
    rng = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(LETTERS))]
    made: dict[str, None] = {}
    while len(made) < VOCABULARY:
        made["".join(rng.choices(LETTERS, weights, k=rng.randint(3, 10)))] = None
    return list(made)


def csv_pieces(catalogue: Catalogue) -> Iterator[bytes]:
    """Yield the CSV of a catalogue."""
    rng = random.Random(catalogue.seed)
    vocabulary = words(catalogue.seed)
    # Zipf's law: the n-th word is 1/n as common as the first.
    weights = [1 / (rank + 10) for rank in range(VOCABULARY)]
    numbers = _numbers(catalogue, rng)
    yield b"sku,name,description\n"
    for start in range(0, len(numbers), ROWS_PER_PIECE):
        part = numbers[start : start + ROWS_PER_PIECE]
        drawn = iter(rng.choices(vocabulary, weights, k=16 * len(part)))
        lines = (
            f"SKU-{number:08}{catalogue.suffix},{' '.join(next(drawn) for _ in range(4))},"
            f"{' '.join(next(drawn) for _ in range(12))}{_revision(catalogue, number)}\n"
            for number in part
        )
        yield "".join(lines).encode()


def _numbers(catalogue: Catalogue, rng: random.Random) -> list[int]:
    numbers = list(range(0, catalogue.products * catalogue.spread, catalogue.spread))
    numbers += rng.sample(numbers, catalogue.repeats)
    rng.shuffle(numbers)
    return numbers


def _revision(catalogue: Catalogue, number: int) -> str:
    """Spread the revised rows evenly over the keys, as a change of prices is spread."""
    return f" edition {catalogue.edition}" if number % 1000 < 1000 * catalogue.revised else ""
