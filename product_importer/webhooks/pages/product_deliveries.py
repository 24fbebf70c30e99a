"""The newest deliveries of a product's events, for the page of the product."""

from dataclasses import dataclass
from typing import Self

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError
from product_importer.ui import routes, styles
from product_importer.ui.ids import id_in_path, parse_id
from product_importer.ui.layout import section
from product_importer.ui.services import ask
from product_importer.ui.widgets import badge, button, link, local_time, notice
from product_importer.webhooks import product_deliveries
from product_importer.webhooks.pages.view_models import DeliveryView
from product_importer.webhooks.product_deliveries import ProductDelivery

ITEM = "grid gap-0.5 border-t border-line py-2 first:border-t-0 first:pt-0 last:pb-0"


@dataclass(frozen=True)
class ProductDeliveryView:
    """One delivery, and the webhook that it is for; `address` is empty if that was deleted."""

    id: str = ""
    event: str = ""
    status: str = ""
    tone: str = "neutral"
    response: str = ""
    created_at: str = ""
    url: str = ""
    address: str = ""

    @classmethod
    def of(cls, found: ProductDelivery) -> Self:
        """Return a delivery as the page shows it."""
        shown = DeliveryView.of(found.delivery)
        return cls(
            id=shown.id,
            event=shown.event,
            status=shown.state,
            tone=shown.tone,
            response=shown.answer,
            created_at=shown.created_at,
            url=found.url,
            address="" if found.is_deleted else f"{routes.WEBHOOKS}/{found.webhook_id}",
        )


class ProductDeliveryState(rx.State):
    """The newest deliveries of the product that one browser tab shows."""

    deliveries: list[ProductDeliveryView] = []  # noqa: RUF012 - Reflex copies it for each tab
    loaded: bool = False
    load_error: str = ""

    @rx.event
    def open_product_deliveries(self) -> EventType[()]:
        """Show the deliveries of the product that the address names."""
        self.deliveries, self.loaded, self.load_error = [], False, ""
        return ProductDeliveryState.load_product_deliveries

    @rx.event(background=True, supersedes=True)
    async def load_product_deliveries(self) -> None:
        """Load them."""
        shown = id_in_path(self.router.url.path)
        try:
            found = await ask(product_deliveries.newest, parse_id(shown, "product"))
        except DomainError as error:
            async with self:
                self.load_error = error.detail
            return
        async with self:
            self.deliveries, self.loaded = [ProductDeliveryView.of(one) for one in found], True
            self.load_error = ""


def deliveries_of_product() -> rx.Component:
    """The section of the page of a product; it takes no place before it is loaded."""
    state = ProductDeliveryState
    none = rx.el.p("No webhook has got an event of this product.", class_name="text-muted")
    listed = rx.el.ul(rx.foreach(state.deliveries, delivery_item))
    content = rx.cond(state.deliveries.length() > 0, listed, none)
    shown = rx.el.div(content, class_name=f"{styles.CARD} text-[13px]", data_testid="product-deliveries")
    return rx.cond(
        state.loaded | (state.load_error != ""),
        section("Webhook deliveries", rx.cond(state.load_error, load_error()), rx.cond(state.loaded, shown)),
    )


def load_error() -> rx.Component:
    """Why the deliveries cannot be shown, and a button to try again."""
    state = ProductDeliveryState
    return notice(
        rx.el.p(state.load_error),
        rx.el.div(button("Try again", on_click=state.load_product_deliveries), class_name=f"{styles.ACTIONS} mt-2.5"),
        title="The deliveries cannot be shown",
        data_testid="product-deliveries-problem",
    )


def delivery_item(one: ProductDeliveryView) -> rx.Component:
    """One delivery: the event and its status, then the webhook and the time."""
    webhook = rx.cond(one.address, link(one.url, to=one.address, class_name=styles.TEXT_LINK), one.url)
    return rx.el.li(
        rx.el.p(
            rx.el.span(one.event, class_name=styles.STRONG),
            badge(one.status, tone=one.tone),
            class_name="flex items-center justify-between gap-3",
        ),
        rx.el.p(webhook, class_name="min-w-0 wrap-anywhere text-muted"),
        rx.el.p(
            rx.cond(one.response, f"{one.response} · ", ""),
            local_time(one.created_at),
            class_name="wrap-anywhere text-muted",
        ),
        key=one.id,
        class_name=ITEM,
        data_testid="product-delivery",
    )
