"""What was sent to a webhook in the last days, counted and measured without reading all of it."""

from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from product_importer.webhooks.models import DeliveryStatus
from product_importer.webhooks.schemas import Activity, Hour
from product_importer.webhooks.service import get_webhook

DAYS = 7
MAX_WAITING = 10_000
NEWEST = 1_000

HOURS = text("""
SELECT hour, succeeded, failed FROM webhook_hour
WHERE webhook_id = :webhook_id AND hour > now() - make_interval(days => :days) ORDER BY hour
""")
# Each subquery reads one index, as far as its limit.
NOW = text(f"""
SELECT waiting.*, answers.* FROM (
    SELECT count(*) FILTER (WHERE tries = 0) AS waiting, count(*) FILTER (WHERE tries > 0) AS retrying FROM (
        SELECT tries FROM webhook_delivery
        WHERE webhook_id = :webhook_id AND status = '{DeliveryStatus.PENDING}' LIMIT :max_waiting
    ) AS pending
) AS waiting, (
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY response_time_ms) AS p50_ms,
        percentile_disc(0.95) WITHIN GROUP (ORDER BY response_time_ms) AS p95_ms
    FROM (
        SELECT response_time_ms FROM webhook_delivery
        WHERE webhook_id = :webhook_id AND response_time_ms IS NOT NULL ORDER BY event_id DESC LIMIT :newest
    ) AS newest
) AS answers
""")


def read_activity(session: Session, webhook_id: UUID) -> Activity:
    """Return what was sent to a webhook in the last `DAYS` days, and what waits.

    Raises:
        NotFound: the webhook does not exist.
    """
    get_webhook(session, webhook_id)
    hours = session.execute(HOURS, {"webhook_id": webhook_id, "days": DAYS})
    now = session.execute(NOW, {"webhook_id": webhook_id, "max_waiting": MAX_WAITING, "newest": NEWEST}).one()
    return Activity(hours=[Hour.model_validate(hour) for hour in hours], **now._asdict())
