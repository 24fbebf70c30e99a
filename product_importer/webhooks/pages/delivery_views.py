"""View models of one delivery with its attempts, and of what was sent in the last days."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from product_importer.webhooks.activity import DAYS, MAX_WAITING
from product_importer.webhooks.pages.view_models import DeliveryView, duration, iso, response
from product_importer.webhooks.schemas import Activity, AttemptDetail, DeliveryDetail, Header

# One bar stands for so many hours, so that all fit a telephone.
BAR_HOURS = 6


@dataclass(frozen=True)
class HeaderView:
    """A header."""

    name: str = ""
    value: str = ""


@dataclass(frozen=True)
class AttemptView:
    """One HTTP request to the receiver, and its answer."""

    number: int = 0
    started_at: str = ""
    tone: str = "neutral"
    answer: str = ""
    duration: str = ""
    excerpt: str = ""
    # Whether the receiver has answered at all.
    is_answered: bool = False
    url: str = ""
    request_headers: list[HeaderView] = field(default_factory=list)
    response_headers: list[HeaderView] = field(default_factory=list)

    @classmethod
    def of(cls, attempt: AttemptDetail) -> Self:
        """Return `attempt` as the page shows it."""
        return cls(
            number=attempt.number,
            started_at=iso(attempt.started_at),
            tone="bad" if attempt.error else "good",
            answer=response(attempt.status_code, attempt.error),
            duration=duration(attempt.response_time_ms),
            excerpt=attempt.response_excerpt or "",
            is_answered=attempt.status_code is not None,
            url=attempt.url or "",
            request_headers=_headers(attempt.request_headers),
            response_headers=_headers(attempt.response_headers),
        )


@dataclass(frozen=True)
class DetailView:
    """One delivery, with its message and its attempts, newest first."""

    delivery: DeliveryView = field(default_factory=DeliveryView)
    body: str = ""
    attempts: list[AttemptView] = field(default_factory=list)

    @classmethod
    def of(cls, delivery: DeliveryDetail) -> Self:
        """Return `delivery` as the page shows it."""
        attempts = [AttemptView.of(attempt) for attempt in delivery.history]
        return cls(DeliveryView.of(delivery), _pretty(delivery.body), attempts)

    def attempt(self, number: int) -> AttemptView:
        """Return the attempt with a number; the newest if there is none."""
        found = (one for one in self.attempts if one.number == number)
        return next(found, self.attempts[0] if self.attempts else AttemptView())


@dataclass(frozen=True)
class ActivityView:
    """What was sent in the last days: bars, and the same in words."""

    # Each has the keys `time`, `succeeded` and `failed`.
    bars: list[dict[str, Any]] = field(default_factory=list)
    # The times of the last bar and of those that are days before it.
    days: list[str] = field(default_factory=list)
    succeeded: str = ""
    failed: str = ""
    waiting: str = ""
    retrying: str = ""
    times: str = ""
    has_failed: bool = False
    is_empty: bool = True

    @classmethod
    def of(cls, activity: Activity) -> Self:
        """Return what was sent as the page shows it."""
        succeeded, failed = sum(one.succeeded for one in activity.hours), sum(one.failed for one in activity.hours)
        bars = _bars(activity)
        return cls(
            bars=bars,
            days=[bar["time"] for bar in bars[:: -24 // BAR_HOURS]],
            succeeded=f"{succeeded:,}",
            failed=f"{failed:,}",
            waiting=_count(activity.waiting),
            retrying=_count(activity.retrying),
            times="" if activity.p50_ms is None else f"p50 {activity.p50_ms:,} ms, p95 {activity.p95_ms:,} ms",
            has_failed=failed > 0,
            is_empty=not activity.hours,
        )


def _headers(headers: list[Header] | None) -> list[HeaderView]:
    return [HeaderView(one.name, one.value) for one in headers or ()]


def _pretty(body: str) -> str:
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False)


def _count(number: int) -> str:
    """Return a number that was counted up to a maximum."""
    return f"{MAX_WAITING:,} or more" if number >= MAX_WAITING else f"{number:,}"


def _bars(activity: Activity) -> list[dict[str, Any]]:
    """Return a bar for each `BAR_HOURS` of the last `DAYS` days, the last one with the present hour."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    width = timedelta(hours=BAR_HOURS)
    starts = [end - width * number for number in range(DAYS * 24 // BAR_HOURS, 0, -1)]
    return [_bar(activity, start, start + width) for start in starts]


def _bar(activity: Activity, start: datetime, end: datetime) -> dict[str, Any]:
    within = [one for one in activity.hours if start <= one.hour < end]
    return {
        "time": iso(start),
        "succeeded": sum(one.succeeded for one in within),
        "failed": sum(one.failed for one in within),
    }
