"""List what imports must not leave behind: tables, ranges, uploads and spooled rows."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.application import Application
from tests.faults.processes import family
from tests.faults.servers import Postgres

TABLES = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relname ~ '^import_(staging|preview|undo_of)_'
    AND NOT EXISTS (SELECT FROM import_job WHERE relname IN (undo_table, preview_table))
"""
# A failed or cancelled import keeps its ranges for a retry.
RANGES = """
SELECT DISTINCT 'ranges of import ' || job_id FROM import_range JOIN import_job ON id = job_id
WHERE status = 'completed'
"""


class Leftovers:
    """Tables, rows and files that must not exist while no import runs."""

    def __init__(self, application: Application, postgres: Postgres):
        self._application = application
        self._postgres = postgres
        self._uploads = Path(application.data) / "uploads"
        self._spools = Path(application.data) / "spool"

    def all(self) -> list[str]:
        """Return the names of everything that is left."""
        rows = [name for (name,) in self._postgres.ask(TABLES) + self._postgres.ask(RANGES)]
        return [*rows, *sorted(self._unknown_uploads()), *self._spooled_names(), *self.open_spools()]

    def open_spools(self) -> list[str]:
        """Return the files of the spool folder that a process has open; most have no name any more."""
        return [link for link in self._open_files() if link.startswith(f"{self._spools}/")]

    def _unknown_uploads(self) -> set[str]:
        known = {key for (key,) in self._postgres.ask("SELECT storage_key FROM import_job")}
        return {path.name for path in self._uploads.iterdir()} - known

    def _spooled_names(self) -> list[str]:
        # A test may have removed the folder.
        return [path.name for path in self._spools.iterdir()] if self._spools.exists() else []

    def _open_files(self) -> Iterator[str]:
        for process in family(self._application):
            # A process, or a file of it, may be gone in the meantime.
            with suppress(FileNotFoundError, ProcessLookupError):
                for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
                    with suppress(FileNotFoundError):
                        yield str(descriptor.readlink())
