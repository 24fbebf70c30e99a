"""Compose the application: pages and REST in one ASGI app. Reflex requires this module's name."""

from collections.abc import Callable, Sequence
from typing import Any

import reflex as rx
from reflex_base.utils.exceptions import UploadTypeError, UploadValueError
from starlette.types import ASGIApp

from product_importer import periodic
from product_importer.access.gate.headers import script_hashes
from product_importer.access.gate.layer import AccessLayer
from product_importer.access.pages.account_page import account_page
from product_importer.access.pages.account_state import AccountState
from product_importer.access.pages.audit_page import audit_page
from product_importer.access.pages.audit_state import AuditState
from product_importer.access.pages.guard import Guard
from product_importer.access.pages.tabs import UploadCheck, bind
from product_importer.access.pages.tokens_page import tokens_page
from product_importer.access.pages.tokens_state import TokenDeleteState, TokenEditorState, TokenState
from product_importer.access.sign_in import app as sign_in
from product_importer.api import Programs, answer_bad_upload, api, show_docs
from product_importer.catalog.pages import refreshing
from product_importer.catalog.pages.delete_state import DeleteAllState, DeleteState
from product_importer.catalog.pages.editor_state import EditorState
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.listing import ProductListing
from product_importer.catalog.pages.page import products_page
from product_importer.catalog.pages.palette import find_products
from product_importer.catalog.pages.product.live_state import LiveProductState
from product_importer.catalog.pages.product.page import product_page
from product_importer.catalog.pages.product.state import ProductState
from product_importer.catalog.pages.views_state import ViewState
from product_importer.core import secrets
from product_importer.core.embedded.servers import ServiceError
from product_importer.core.settings import settings
from product_importer.imports.pages.actions.action_dialogs import action_dialogs
from product_importer.imports.pages.actions.action_state import ActionState
from product_importer.imports.pages.actions.selection_actions import action_progress, selection_actions
from product_importer.imports.pages.drafts.draft_state import DraftState
from product_importer.imports.pages.drafts.drop_zone import drop_anywhere
from product_importer.imports.pages.drafts.list_state import DraftListState
from product_importer.imports.pages.history_state import HistoryState
from product_importer.imports.pages.import_state import ImportState
from product_importer.imports.pages.page import import_page, imports_page
from product_importer.imports.pages.palette import find_imports
from product_importer.imports.pages.running.running_state import RunningState
from product_importer.imports.pages.undo_state import UndoState
from product_importer.overview.pages.overview_state import OverviewState
from product_importer.overview.pages.page import overview_page
from product_importer.ui import built_pages, failures, routes, theme
from product_importer.ui.activity_state import title
from product_importer.ui.connection.state import begin_page
from product_importer.ui.layout import not_found
from product_importer.ui.moved_addresses import MovedAddresses
from product_importer.ui.palette import finders
from product_importer.webhooks.pages.delete_state import WebhookDeleteState
from product_importer.webhooks.pages.deliveries_state import DeliveryState
from product_importer.webhooks.pages.editor_state import SecretState, WebhookEditorState
from product_importer.webhooks.pages.list_state import WebhookState
from product_importer.webhooks.pages.log_state import DeliveryLogState
from product_importer.webhooks.pages.page import webhook_page, webhooks_page
from product_importer.webhooks.pages.product_deliveries import ProductDeliveryState, deliveries_of_product
from product_importer.webhooks.pages.redeliver_state import RedeliverState

# Close dialogs that were open when the page was left.
WEBHOOK_DIALOGS_CLOSED = [
    SecretState.close_rotation,
    SecretState.close_secret,
    WebhookEditorState.close_editor,
    WebhookDeleteState.close,
]


class Application(rx.App):
    """Reflex's application behind the access layer, however it is served."""

    def __call__(self) -> ASGIApp:
        try:
            secrets.prepare()
        except ServiceError as error:
            raise SystemExit(f"product-importer: {error}") from None
        assert self._api is not None
        for error in (UploadTypeError, UploadValueError, KeyError):
            self._api.add_exception_handler(error, answer_bad_upload)
        pages = [*built_pages.read(), show_docs().body.decode()]
        return AccessLayer(
            MovedAddresses(
                Programs(UploadCheck(super().__call__())),
                routes.OVERVIEW,
                routes.PRODUCTS,
                ProductListing.parameter_names(),
            ),
            settings(),
            script_hashes(pages),
            sign_in=sign_in.create_app(settings()),
            sign_in_paths=sign_in.PATHS,
            farewell=tabs.say_farewell,
        )


app = Application(
    api_transformer=api,
    head_components=theme.head(),
    stylesheets=theme.STYLESHEETS,
    html_lang="en",
    app_wraps=failures.WRAPS,
    backend_exception_handler=failures.report_backend,
    frontend_exception_handler=failures.report_frontend,
)
app.add_middleware(Guard())
for finder in (find_products, find_imports):
    finders.register(finder)
tabs = bind(app)


def add_page(
    page: Callable[[], rx.Component],
    *,
    route: str,
    on_load: Sequence[Any] = (),
    closing: Sequence[Any] = (),
    **given: Any,
) -> None:
    """Add a page, which takes files that are dropped on it, and shows what is imported while it is open.

    `closing` are the events that close its dialogs.
    """
    events = [begin_page(route, closing), *on_load, RunningState.follow_imports]
    app.add_page(lambda: drop_anywhere(page()), route=route, on_load=events, **given)


def _products() -> rx.Component:
    """The products page, with the actions of a higher slice on what is selected."""
    return products_page(selection_actions(), more=rx.fragment(action_progress(), action_dialogs()))


add_page(overview_page, route=routes.OVERVIEW, title=title("Overview"), on_load=[OverviewState.open_overview])
add_page(
    _products,
    route=routes.PRODUCTS,
    title=title("Products"),
    closing=[
        EditorState.close_editor,
        DeleteState.close,
        DeleteAllState.close,
        ActionState.close,
        ViewState.close,
    ],
    on_load=[CatalogState.open_products, ViewState.open_views, CatalogState.follow_products],
)
add_page(
    lambda: product_page(deliveries_of_product()),
    route=routes.PRODUCT,
    title=ProductState.title,
    closing=[EditorState.close_editor, DeleteState.close],
    on_load=[
        ProductState.open_product,
        ProductDeliveryState.open_product_deliveries,
        LiveProductState.follow_product,
    ],
)
refreshing.HANDLERS[routes.PRODUCT].append(ProductDeliveryState.load_product_deliveries)
add_page(
    imports_page,
    route=routes.IMPORTS,
    title=title("Imports"),
    on_load=[DraftListState.follow_drafts, HistoryState.open_history],
)
add_page(
    import_page,
    route=routes.IMPORT,
    title=rx.cond((ImportState.live.id == "") & (DraftState.title != ""), DraftState.title, ImportState.title),
    closing=[UndoState.close],
    on_load=[DraftState.open_draft, ImportState.open_import],
)
add_page(
    webhooks_page,
    route=routes.WEBHOOKS,
    title=title("Webhooks"),
    closing=WEBHOOK_DIALOGS_CLOSED,
    on_load=[WebhookState.open_webhooks],
)
add_page(
    webhook_page,
    route=routes.WEBHOOK,
    title=title("Webhook"),
    closing=[*WEBHOOK_DIALOGS_CLOSED, RedeliverState.close_redeliver],
    on_load=[WebhookState.open_webhook, DeliveryState.open_deliveries, DeliveryLogState.follow_log],
)
add_page(audit_page, route=routes.AUDIT, title=title("Record"), on_load=[AuditState.open_record])
add_page(
    tokens_page,
    route=routes.TOKENS,
    title=title("Tokens"),
    closing=[TokenEditorState.close_editor, TokenEditorState.forget_secret, TokenDeleteState.close],
    on_load=[TokenState.open_tokens],
)
add_page(
    account_page,
    route=routes.ACCOUNT,
    title=title("Account"),
    on_load=[AccountState.open_account],
)
add_page(not_found, route="404", title=title("Page not found"))
app.register_lifespan_task(periodic.run)
