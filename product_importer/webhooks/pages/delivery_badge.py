"""The badge of a delivery's state, with the time of its next attempt."""

from typing import Any

import reflex as rx

from product_importer.ui.next_in import next_in
from product_importer.ui.widgets import badge
from product_importer.webhooks.models import LogState
from product_importer.webhooks.pages.view_models import DeliveryView


def delivery_badge(delivery: DeliveryView, *, is_enabled: Any, **props: Any) -> rx.Component:
    """Return the badge, such as "retrying, next in 5 min"; nothing is sent while the webhook is not enabled."""
    following = rx.cond(is_enabled, next_in(delivery.next_attempt_at, "next "), "when enabled again")
    words = rx.match(
        delivery.state,
        (LogState.RETRYING.value, rx.fragment("retrying, ", following)),
        (LogState.PENDING.value, rx.fragment("pending", rx.cond(is_enabled, "", ", when enabled again"))),
        rx.fragment(delivery.state),
    )
    # A space between the parts would be taken for a gap of the badge.
    return badge(rx.el.span(words), tone=delivery.tone, **props)
