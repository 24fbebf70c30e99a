"""Estimate in a few milliseconds how many products match a filter, from a random sample of the table's pages."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select, tablesample, text
from sqlmodel import Session

from product_importer.catalog.models import PRODUCTS
from product_importer.catalog.schemas import ProductFilter
from product_importer.catalog.search.filters import conditions

SAMPLE_ROWS = 3_000
# PostgreSQL samples whole pages, and rows that were written together are on the same pages. Matches on fewer pages
# than this may be all there are, or a tenth of the catalogue.
MIN_PAGES = 4
# A sample of this size is on enough pages to tell the two apart.
LARGE_SAMPLE_ROWS = 30_000

PAGE: ColumnElement[Any] = literal_column("(sampled.ctid::text::point)[0]")


@dataclass(frozen=True)
class Estimate:
    """About how many products match; `is_clustered` if the sample saw them on so few pages that this is unsure."""

    total: int
    is_clustered: bool = False


def estimate(session: Session, query: ProductFilter, size: int, few: float) -> Estimate:
    """Return about how many of `size` products match; the sample is the same for every page of a list.

    A clustered result of more than `few` is checked with a larger sample.
    """
    first = _sample(session, query, size, SAMPLE_ROWS)
    return _sample(session, query, size, LARGE_SAMPLE_ROWS) if first.is_clustered and first.total > few else first


def _sample(session: Session, query: ProductFilter, size: int, rows: int) -> Estimate:
    percent = min(100.0, 100.0 * rows / size)
    sampled = tablesample(PRODUCTS, func.system(percent), name="sampled", seed=text("1"))
    counts = select(func.count(), func.count(PAGE.distinct())).select_from(sampled)
    matches, pages = session.execute(counts.where(*conditions(sampled.c, query))).one()
    return Estimate(min(size, round(matches * 100.0 / percent)), is_clustered=pages < MIN_PAGES)
