"""The names of attributes that products have, to be suggested: from notes and a sample, in milliseconds."""

from collections import Counter

from sqlalchemy import func, select, tablesample, text
from sqlmodel import Session

from product_importer.catalog.models import PRODUCTS, search_segment
from product_importer.catalog.search.product_query import catalogue_size

MAX_NAMES = 200
# A small catalogue has no segments: all of it is read.
SAMPLE_ROWS = 1_000


def frequent(session: Session) -> list[str]:
    """Return the most frequent names of attributes, at most `MAX_NAMES`, in alphabetical order.

    Each segment of the text index notes its own. What is newer is sampled.
    """
    noted = select(func.unnest(search_segment.c.attribute_names)).where(search_segment.c.retired_at.is_(None))
    names = Counter(session.scalars(noted)) + Counter(_sampled(session))
    most = [name for name, _ in names.most_common(MAX_NAMES)]
    return sorted(most, key=lambda name: (name.casefold(), name))


def _sampled(session: Session) -> list[str]:
    percent = min(100.0, 100.0 * SAMPLE_ROWS / max(1, catalogue_size(session)))
    sampled = tablesample(PRODUCTS, func.system(percent), name="sampled", seed=text("1"))
    return list(session.scalars(select(func.jsonb_object_keys(sampled.c.attributes))))
