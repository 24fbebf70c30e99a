"""Put imports of fixed rows below the imports whose rows they fix."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from product_importer.imports.pages.view_models import ImportView

# Deeper ones stand where these do.
MAX_DEPTH = 3


def nested(imports: Sequence[ImportView]) -> list[ImportView]:
    """Return a page of imports, newest first, with each below its parent where that is on the page, too.

    A parent stands where the newest of its family does, and its own come in the order of time. `depth` says how many
    of its forebears are on the page.
    """
    by_id = {job.id: job for job in imports}
    children = defaultdict(list)
    for job in reversed(imports):
        children[job.parent].append(job)
    tops = dict.fromkeys(_top(job, by_id) for job in imports)
    return [job for top in tops for job in _family(by_id[top], children, 0)]


def _top(job: ImportView, by_id: Mapping[str, ImportView]) -> str:
    """Return the first forebear of an import that is on the page."""
    while job.parent in by_id:
        job = by_id[job.parent]
    return job.id


def _family(job: ImportView, children: Mapping[str, Sequence[ImportView]], depth: int) -> Iterator[ImportView]:
    yield replace(job, depth=min(depth, MAX_DEPTH))
    for child in children.get(job.id, ()):
        yield from _family(child, children, depth + 1)
