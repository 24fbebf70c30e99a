"""Catalogues for the benchmark: the same rows for the same seed, words as common and as rare as in real texts."""

import random
from collections.abc import Iterator

LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
VOCABULARY = 10_000
ROWS_PER_PIECE = 10_000


def words(seed: int = 1) -> list[str]:
    """Return the vocabulary, the most common word first; lengths and letters as in English."""
    dice = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(LETTERS))]
    made: dict[str, None] = {}
    while len(made) < VOCABULARY:
        made["".join(dice.choices(LETTERS, weights, k=dice.randint(3, 10)))] = None
    return list(made)


def csv_pieces(rows: int, seed: int = 1) -> Iterator[bytes]:
    """Yield a CSV of so many products in a random order of SKUs: about 120 bytes a row."""
    dice = random.Random(seed)
    vocabulary = words(seed)
    # Zipf's law: the n-th word is 1/n as common as the first.
    weights = [1 / (rank + 10) for rank in range(VOCABULARY)]
    numbers = list(range(rows))
    dice.shuffle(numbers)
    yield b"sku,name,description\n"
    for start in range(0, rows, ROWS_PER_PIECE):
        part = numbers[start : start + ROWS_PER_PIECE]
        drawn = iter(dice.choices(vocabulary, weights, k=16 * len(part)))
        lines = (
            f"SKU-{number:08},{' '.join(next(drawn) for _ in range(4))},{' '.join(next(drawn) for _ in range(12))}\n"
            for number in part
        )
        yield "".join(lines).encode()
