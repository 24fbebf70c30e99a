"""What Ctrl-C does to the command `import`."""

import signal
from typing import Any, Self


class Interrupts:
    """Handle Ctrl-C: raise KeyboardInterrupt at first; after `count_only`, only count."""

    def __init__(self) -> None:
        self.count = 0
        self._is_counted_only = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def count_only(self) -> None:
        """Count further interrupts instead of raising: what has begun must end properly."""
        self._is_counted_only = True

    def _note(self, *_: Any) -> None:
        if not self._is_counted_only:
            raise KeyboardInterrupt
        self.count += 1
