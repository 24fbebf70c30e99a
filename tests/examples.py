"""Set how many examples a slow property test tries: few in `make test`, ten times as many in `make faults`.

Each example runs several imports. One that has found an error belongs beside its test, as `@example`.
"""

import os


def examples(few: int) -> int:
    """Return the number of examples: `few`, or ten times as many with `FAULTS=long`."""
    return 10 * few if os.environ.get("FAULTS") == "long" else few
