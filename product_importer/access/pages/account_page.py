"""The page of one's own account: change the password, see where one is signed in, sign out."""

from typing import Any

import reflex as rx

from product_importer.access.pages.account_state import AGAIN, NEW, OLD, AccountState, SessionView
from product_importer.ui import routes, styles, tables
from product_importer.ui.access_state import AccessState
from product_importer.ui.forms import error_id, form_field
from product_importer.ui.layout import page, section
from product_importer.ui.widgets import badge, busy_button, button, empty_state, error_notice, loading, local_time

# A name with a badge.
NAMED = "flex min-h-[22px] flex-wrap items-center gap-2.5"
COLUMNS = ("Browser", "Address", "Signed in", "Last used")


def account_page() -> rx.Component:
    """Return the page; without sign-in there are no accounts."""
    return page(
        "Account",
        rx.cond(
            AccessState.is_known & ~AccessState.signs_in,
            empty_state("Nobody signs in here", "Sign-in is off, so there are no accounts. The setting is AUTH."),
            rx.fragment(person(), password(), signed_in()),
        ),
        current=routes.ACCOUNT,
    )


def person() -> rx.Component:
    """Return who is signed in, and as what."""
    return rx.el.p(
        rx.el.span(AccessState.name, class_name=styles.STRONG, data_testid="account-name"),
        rx.cond(AccessState.role, badge(AccessState.role, tone="neutral", data_testid="account-role")),
        class_name=NAMED,
    )


def password() -> rx.Component:
    """Return the form that changes the password, unless a provider signs the person in."""
    return section("Password", rx.cond(AccountState.has_password, password_form(), no_password()))


def no_password() -> rx.Component:
    """Return what stands in place of the form."""
    return rx.el.p(
        "You sign in through your organisation’s provider; there is no password here.", class_name="text-muted"
    )


def password_form() -> rx.Component:
    """Return the form; only the browser holds what is typed."""
    return rx.el.form(
        # Lets password managers know whose password it is.
        rx.el.input(
            type="email", name="email", auto_complete="username", value=AccessState.name, read_only=True, hidden=True
        ),
        secret_field("Current password", OLD, "current-password"),
        secret_field("New password", NEW, "new-password", note="At least 12 characters."),
        secret_field("New password again", AGAIN, "new-password"),
        error_notice(AccountState.password_error, title="Not changed", testid="password-error"),
        rx.el.div(
            busy_button(
                "Change password",
                "Changing…",
                is_busy=AccountState.is_saving,
                kind="primary",
                type="submit",
                data_testid="password-change",
            ),
            class_name=styles.ACTIONS,
        ),
        key=f"password-{AccountState.filling}",
        on_submit=AccountState.change_password,
        no_validate=True,
        class_name=f"{styles.CARD} {styles.STACK} max-w-[420px]",
    )


def secret_field(label: str, name: str, auto_complete: str, note: str = "") -> rx.Component:
    """Return a field for a password."""
    testid = f"password-{name}"
    control = rx.el.input(
        type="password",
        name=name,
        auto_complete=auto_complete,
        placeholder=note,
        class_name=styles.INPUT,
        aria_required="true",
        aria_invalid=rx.cond(AccountState.field_errors[name], "true", "false"),
        aria_describedby=error_id(testid),
        data_testid=testid,
    )
    return form_field(label, control, name=testid, error=AccountState.field_errors[name])


def signed_in() -> rx.Component:
    """Return where the person is signed in."""
    return section(
        "Where you are signed in",
        error_notice(AccountState.error, title="The sessions cannot be shown", testid="sessions-problem"),
        rx.cond(
            AccountState.loaded,
            sessions_table(),
            rx.cond(AccountState.error, rx.fragment(), loading()),
        ),
        actions=button(
            "Sign out everywhere",
            on_click=AccountState.end_all_sessions,
            title="Sign out every browser, this one included",
            data_testid="sign-out-everywhere",
        ),
    )


def sessions_table() -> rx.Component:
    """Return a row for each browser."""
    rows = tables.body(rx.foreach(AccountState.sessions, session_row))
    return tables.table(tables.headings(*COLUMNS, has_actions=True), rows)


def session_row(each: SessionView) -> rx.Component:
    """Return the row of one browser."""
    name = rx.el.div(
        rx.el.span(each.browser, class_name=styles.STRONG),
        rx.cond(each.is_own, badge("this browser", tone="good", data_testid="session-own")),
        class_name=NAMED,
    )
    return tables.row(
        tables.lead(name),
        tables.cell(each.address, label="Address", class_name=styles.MONO),
        tables.cell(local_time(each.created_at), label="Signed in", class_name=tables.TIME),
        tables.cell(local_time(each.last_used_at), label="Last used", class_name=tables.TIME),
        tables.actions(end_button(each)),
        data_testid="session-row",
        key=each.id,
    )


def end_button(each: Any) -> rx.Component:
    """Return the button that signs a browser out."""
    return button(
        "Sign out",
        kind="quiet bad",
        on_click=AccountState.end_session(each.id),
        aria_label=rx.cond(each.is_own, "Sign out this browser", "Sign out " + each.browser),
        data_testid="session-end",
    )
