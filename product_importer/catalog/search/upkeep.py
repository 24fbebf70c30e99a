"""Keep the text index up to date step by step, behind imports, which it would slow down."""

import time
from collections.abc import Callable

from product_importer.catalog.search import indexer
from product_importer.core import db

# The longest that the index waits for imports in all before it catches up.
MAX_WAIT_SECONDS = 600.0


class Upkeep:
    """Does one step after the other. Between steps it waits for imports, but not for ever.

    `is_importing` says whether an import is running; `clock` returns seconds.
    """

    def __init__(self, is_importing: Callable[[], bool], clock: Callable[[], float] = time.monotonic):
        self._is_importing = is_importing
        self._clock = clock
        self._waited = 0.0
        self._waiting_since: float | None = None

    def step(self) -> bool:
        """Do one step, unless it has to wait; return whether there was one to do."""
        if self._has_to_wait():
            return False
        if self._worked():
            return True
        # It has caught up: what comes next may wait again.
        self._waited = 0.0
        return False

    def _has_to_wait(self) -> bool:
        """Return whether an import is running and the patience for this is left."""
        now = self._clock()
        if self._waiting_since is not None:
            self._waited += now - self._waiting_since
            self._waiting_since = None
        if self._waited >= MAX_WAIT_SECONDS or not self._is_importing():
            return False
        self._waiting_since = now
        return True

    def _worked(self) -> bool:
        collected = db.run(indexer.collect)
        if collected:
            indexer.clean_up()
        if collected >= indexer.STEP_ROWS / 2:
            # More may wait. In segments they are read quicker, also before these are indexed.
            return True
        return db.run(indexer.build) or bool(collected) or db.run(indexer.renew)
