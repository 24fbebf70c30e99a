"""Measure a worker's processor time for reading, validating and encoding a file, beside `csv.reader`.

The merge runs in PostgreSQL; this part runs in Python, and the merge waits for it.
"""

import csv
import gc
import time
from collections.abc import Callable
from pathlib import Path

from bench.catalogue import Catalogue
from bench.results import Section, median
from bench.subject import Subject
from product_importer.imports.columns.header import match
from product_importer.imports.parsing.csv import arrow
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.opening import CountingReader, open_records
from product_importer.imports.pipeline.copy_encoder import Encoder
from product_importer.imports.pipeline.row_validation import RowValidator

ROUNDS = 5
NOTE = f"""Seconds of processor time, median of {ROUNDS}. Each step includes those before it. No server takes part, so
no waiting for one is included."""


def measure(subject: Subject) -> Section:
    """Measure `csv.reader` and three steps of ours."""
    path = Catalogue(subject.rows).file()
    steps = {
        "csv.reader alone": lambda: _read_alone(path),
        "the strict reader": lambda: _read(path, checks=False, encode=False),
        "and the checks": lambda: _read(path, checks=True, encode=False),
        "and the text for COPY": lambda: _read(path, checks=True, encode=True),
    }
    section = Section("Reading", NOTE, ("step", "CPU, s", "× csv.reader"))
    alone = 0.0
    for name, step in steps.items():
        seconds = median([_cpu(step) for _ in range(ROUNDS)])
        alone = alone or seconds
        section.lines.append((name, f"{seconds:.2f}", f"{seconds / alone:.1f}"))
    return section


def _read_alone(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file, strict=True):
            pass


def _read(path: Path, checks: bool, encode: bool) -> None:
    with path.open("rb") as file:
        records = open_records(CountingReader(file), Format(), arrow.parse)
        header = match(records.header()[0])
        validate, text = RowValidator(header).validate, Encoder(header)
        for chunk in records.chunks():
            validated = validate(chunk) if checks else chunk
            if encode:
                text(validated)


def _cpu(step: Callable[[], None]) -> float:
    # The worker does this, too, while it reads.
    gc.disable()
    began = time.process_time()
    step()
    taken = time.process_time() - began
    gc.enable()
    return taken
