"""About how many products match a filter, told by a random sample of the table's pages in a few milliseconds."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select, tablesample, text
from sqlmodel import Session

from product_importer.catalog.models import PRODUCTS
from product_importer.catalog.schemas import ProductQuery
from product_importer.catalog.search.filters import conditions

# So many products, picked at random, tell how common a filter's matches are.
SAMPLE_ROWS = 3_000
# PostgreSQL picks whole pages, and what came together lies together: matches on fewer pages than these may be a
# handful that the sample happened to meet, or a tenth of the catalogue.
MIN_PAGES = 4
# So many rows lie on so many pages that they tell the two apart.
LARGE_SAMPLE_ROWS = 30_000

PAGE: ColumnElement[Any] = literal_column("(sampled.ctid::text::point)[0]")


@dataclass(frozen=True)
class Estimate:
    """About how many products match. `is_local`: seen on so few pages that there may be no others."""

    total: int
    is_local: bool = False


def estimate(session: Session, query: ProductQuery, size: int, few: float) -> Estimate:
    """Return about how many of `size` products match; the sample is the same for every page of a list.

    More than `few` that lie side by side are looked at again, in a larger sample.
    """
    first = _sampled(session, query, size, SAMPLE_ROWS)
    return _sampled(session, query, size, LARGE_SAMPLE_ROWS) if first.is_local and first.total > few else first


def _sampled(session: Session, query: ProductQuery, size: int, rows: int) -> Estimate:
    percent = min(100.0, 100.0 * rows / size)
    sampled = tablesample(PRODUCTS, func.system(percent), name="sampled", seed=text("1"))
    counts = select(func.count(), func.count(PAGE.distinct())).select_from(sampled)
    matches, pages = session.execute(counts.where(*conditions(sampled.c, query))).one()
    return Estimate(round(matches * 100.0 / percent), is_local=pages < MIN_PAGES)
