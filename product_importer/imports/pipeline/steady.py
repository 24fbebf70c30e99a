"""Show an estimate of the time left only once it has become steady.

The first rows of a file say little about the rest: 57 s were shown for an import of 16 s.
"""

from collections import deque

# So long must the estimates agree on the end, to within this share of the time left.
STEADY_SECONDS = 2.0
MAX_SPREAD_SHARE = 0.25
# Less than this is never a disagreement.
MIN_SPREAD_SECONDS = 1.0


class SteadyEstimate:
    """Takes estimates of the seconds left as they come, and returns those that agree with the ones before."""

    def __init__(self) -> None:
        # The moments of estimates, and the ends that they foretold.
        self._ends: deque[tuple[float, float]] = deque()

    def take(self, now: float, left: float | None) -> float | None:
        """Return `left` if the ends that were foretold since `STEADY_SECONDS` are about the same, else None.

        `now` is a moment of a clock that does not go back, in seconds.
        """
        if left is None:
            self._ends.clear()
            return None
        self._ends.append((now, now + left))
        # One estimate from before the period stays, or it would never be covered.
        while len(self._ends) > 1 and now - self._ends[1][0] >= STEADY_SECONDS:
            self._ends.popleft()
        ends = [end for _, end in self._ends]
        covers = now - self._ends[0][0] >= STEADY_SECONDS
        is_steady = max(ends) - min(ends) <= max(MIN_SPREAD_SECONDS, MAX_SPREAD_SHARE * left)
        return left if covers and is_steady else None
