"""The page of tokens: the list, the form of a new one, and the dialogs."""

import reflex as rx

from product_importer.access.pages.tokens_state import (
    DIALOG,
    PERIODS,
    TokenDeleteState,
    TokenEditorState,
    TokenState,
    TokenView,
)
from product_importer.access.schemas import TOKEN_DAYS, Permission
from product_importer.ui import routes, styles, tables
from product_importer.ui.access_state import AccessState, for_admins, for_importers, for_writers
from product_importer.ui.forms import error_id, fault, form_field
from product_importer.ui.layout import page
from product_importer.ui.modal import (
    KeptModal,
    action_bar,
    close_dialog,
    confirmation,
    dialog_actions,
    dialog_button,
    form_modal,
    initial_focus,
    modal,
)
from product_importer.ui.secret_field import secret_field
from product_importer.ui.widgets import (
    badge,
    busy_button,
    button,
    empty_state,
    error_notice,
    list_pager,
    loading,
    local_time,
)

COLUMNS = ("Name", "May", "Owner", "Last used", "Expires")
SECRET = "token-secret-dialog"  # noqa: S105 - an id
DELETE = "token-delete-dialog"
PURPOSE = (
    "A token lets a program use the REST API and the command line as you, within the scopes that you give it. It "
    "sends the token with each request: “Authorization: Bearer pi_…”."
)


def tokens_page() -> rx.Component:
    """The page with the list of tokens."""
    nobody_signs_in = AccessState.is_known & ~AccessState.signs_in
    return page(
        "Tokens",
        error_notice(TokenState.load_error, title="The tokens cannot be shown", testid="tokens-problem"),
        rx.cond(nobody_signs_in, not_needed(), rx.fragment(token_list(), list_pager(TokenState, prefix="tokens"))),
        token_dialog(),
        secret_dialog(),
        delete_dialog(),
        current=routes.TOKENS,
        actions=rx.cond(nobody_signs_in, rx.fragment(), new_button("token-new")),
    )


def not_needed() -> rx.Component:
    """What stands in place of the list while sign-in is off: a token belongs to a person."""
    return empty_state("Nobody signs in here", "Sign-in is off, so programs need no token. The setting is AUTH.")


def new_button(testid: str) -> rx.Component:
    """The button that opens the form of a new token."""
    return dialog_button("New token", kind="primary", on_click=TokenEditorState.start_token, data_testid=testid)


def token_list() -> rx.Component:
    """The list, or what tokens are for."""
    none = empty_state("No tokens yet", PURPOSE, new_button("token-first"))
    return rx.cond(
        TokenState.tokens.length() > 0,
        token_table(),
        rx.cond(TokenState.loaded, none, rx.cond(TokenState.load_error, rx.fragment(), loading())),
    )


def token_table() -> rx.Component:
    """The tokens of this page of the list, newest first."""
    rows = tables.body(rx.foreach(TokenState.tokens, token_row))
    return tables.table(tables.headings(*COLUMNS, has_actions=True), rows, data_testid="tokens-table")


def token_row(token: TokenView) -> rx.Component:
    """The row of one token."""
    expiry = rx.cond(
        token.is_expired,
        badge("expired", tone="bad"),
        rx.cond(token.expires_at, local_time(token.expires_at), "never"),
    )
    last_used = rx.cond(token.last_used_at, local_time(token.last_used_at), "never")
    return tables.row(
        tables.lead(token.name, class_name=styles.STRONG),
        tables.cell(token.scopes, label="May"),
        tables.cell(token.owner, label="Owner", class_name="text-muted"),
        tables.cell(last_used, label="Last used", class_name=tables.TIME),
        tables.cell(expiry, label="Expires", class_name=tables.TIME),
        tables.actions(
            dialog_button(
                "Delete",
                kind="quiet bad",
                on_click=TokenDeleteState.open_dialog(token.id, token.name),
                aria_label=f"Delete {token.name}",
                data_testid="token-delete",
            )
        ),
        data_testid="token-row",
        key=token.id,
    )


def token_dialog() -> rx.Component:
    """The dialog with the form of a new token."""
    return form_modal(
        "New token",
        rx.cond(TokenEditorState.is_open, token_form()),
        name=DIALOG,
        shown=TokenEditorState.is_open,
        on_close=TokenEditorState.close_editor,
    )


def token_form() -> rx.Component:
    """The form: name, scopes and period."""
    return rx.el.form(
        name_field(),
        scope_fields(),
        period_field(),
        error_notice(TokenEditorState.form_error, title="Not created", testid="token-form-error"),
        dialog_actions(
            DIALOG,
            busy_button(
                "Create",
                "Creating…",
                is_busy=TokenEditorState.is_saving,
                kind="primary",
                type="submit",
                data_testid="token-save",
            ),
        ),
        key=f"form-{TokenEditorState.number}",
        on_submit=TokenEditorState.create_token,
        no_validate=True,
        class_name=styles.FORM,
    )


def name_field() -> rx.Component:
    """What the token is for."""
    error = TokenEditorState.field_errors["name"]
    control = rx.el.input(
        name="name",
        auto_complete="off",
        aria_required="true",
        aria_invalid=rx.cond(error, "true", "false"),
        aria_describedby=error_id("token-name"),
        placeholder="Nightly import",
        class_name=styles.INPUT,
        data_testid="token-name",
        **initial_focus(),
    )
    return form_field("Name", control, name="token-name", error=error)


def scope_fields() -> rx.Component:
    """A checkbox for each scope that the person may give: what they may do themselves."""
    scopes = (
        scope_field(Permission.READ, "Read", "Products, imports, webhooks and exports."),
        for_importers(scope_field(Permission.IMPORT, "Import", "Start imports, cancel, apply and undo them.")),
        for_writers(scope_field(Permission.WRITE, "Write", "Create, change and delete products.")),
        for_admins(scope_field(Permission.ADMIN, "Administer", "Webhooks, other tokens and the record.")),
    )
    return rx.el.fieldset(
        rx.el.legend("It may", class_name=styles.LABEL),
        rx.el.div(*scopes, class_name=styles.CHECKS),
        fault(TokenEditorState.field_errors["scopes"], name="token-scopes"),
        aria_describedby=error_id("token-scopes"),
    )


def scope_field(scope: Permission, label: str, hint: str) -> rx.Component:
    """The checkbox of one scope."""
    box = rx.el.input(
        type="checkbox",
        name="scopes",
        value=scope.value,
        class_name=styles.CHECK_BOX,
        data_testid=f"token-scope-{scope}",
    )
    return rx.el.label(box, rx.el.span(label, rx.el.span(hint, class_name=styles.HINT)), class_name=styles.CHECK)


def period_field() -> rx.Component:
    """How long the token is valid."""
    control = rx.el.select(
        *(rx.el.option(words, value=str(days)) for days, words in PERIODS.items()),
        name="days",
        default_value=str(TOKEN_DAYS),
        class_name=styles.INPUT,
        data_testid="token-days",
    )
    return form_field("Expires", control, name="token-days", error=TokenEditorState.field_errors["expires_at"])


def secret_dialog() -> rx.Component:
    """Show a new token. It is not shown again."""
    return modal(
        "Token created",
        rx.el.p(
            rx.el.span(TokenEditorState.name, class_name=styles.STRONG),
            " is ready. Copy it now: it is not shown again.",
            class_name="wrap-anywhere",
        ),
        secret_field(
            "Token",
            TokenEditorState.secret,
            name="token-secret",
            is_copied=TokenEditorState.is_copied,
            on_copied=TokenEditorState.mark_copied,
        ),
        action_bar(button("I have stored it", on_click=close_dialog(SECRET), data_testid="token-secret-done")),
        name=SECRET,
        shown=TokenEditorState.secret != "",
        on_close=TokenEditorState.forget_secret,
        kind=KeptModal,
    )


def delete_dialog() -> rx.Component:
    """Ask before deleting a token."""
    return confirmation(
        "Delete this token?",
        rx.el.p(rx.el.span(TokenDeleteState.name, class_name=styles.STRONG), class_name="wrap-anywhere"),
        "Programs that use it are refused from now on. This cannot be undone.",
        error_notice(TokenDeleteState.error, title="Nothing was deleted", testid="token-refusal"),
        busy_button(
            "Delete",
            "Deleting…",
            is_busy=TokenDeleteState.is_busy,
            kind="danger",
            on_click=TokenDeleteState.delete_token,
            data_testid="confirm-delete-token",
        ),
        name=DELETE,
        shown=TokenDeleteState.is_open,
        on_close=TokenDeleteState.close,
    )
