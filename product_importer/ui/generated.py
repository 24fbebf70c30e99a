"""Edit the frontend that Reflex generates, where it has no setting for what is needed."""

STATE_JS = "utils/state.js"


def replace(anchor: str, replacement: str, source: str) -> str:
    """Put `replacement` in the place of `anchor`, unless an earlier build did.

    Raises:
        RuntimeError: `anchor` is not there exactly once.
    """
    if replacement in source:
        return source
    if source.count(anchor) != 1:
        raise RuntimeError(f"This version of Reflex is not supported: {anchor.strip()!r} has moved.")
    return source.replace(anchor, replacement)


def insert_after(anchor: str, addition: str, source: str) -> str:
    """Insert `addition` after `anchor`, unless an earlier build did.

    Raises:
        RuntimeError: `anchor` is not there exactly once.
    """
    return source if addition in source else replace(anchor, anchor + addition, source)
