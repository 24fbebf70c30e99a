"""What can be done with the selected products, and how far that is."""

import reflex as rx

from product_importer.imports.pages.actions.action_state import RUNNING, ActionState, ActionView
from product_importer.ui import styles
from product_importer.ui.access_state import for_writers
from product_importer.ui.modal import dialog_button
from product_importer.ui.widgets import button, link, progress_bar

# Where the bar of the selection is, too: it gives way to the progress.
PROGRESS = (
    "sticky bottom-3 z-5 mx-auto grid w-full max-w-xl gap-2 rounded-xl border border-line-strong bg-raised px-4 py-3 "
    "shadow-lg"
)


def selection_actions() -> rx.Component:
    """Return the buttons for the bar that is shown while products are selected."""
    return for_writers(
        button(
            "Activate",
            kind="quiet",
            on_click=ActionState.switch(True),
            aria_disabled=IS_BUSY,
            data_testid="action-activate",
        ),
        button(
            "Deactivate",
            kind="quiet",
            on_click=ActionState.switch(False),
            aria_disabled=IS_BUSY,
            data_testid="action-deactivate",
        ),
        dialog_button("Set a field…", kind="quiet", on_click=ActionState.open_set, data_testid="action-set"),
        dialog_button("Delete…", kind="quiet bad", on_click=ActionState.open_delete, data_testid="action-delete"),
    )


IS_BUSY = rx.cond(ActionState.is_busy, "true", "false")


def action_progress() -> rx.Component:
    """Return how far the actions are that were started in this tab; nothing while none runs."""
    rows = rx.el.div(rx.foreach(ActionState.running, running_action), id=RUNNING, class_name=PROGRESS)
    return rx.cond(ActionState.running.length() > 0, rows)


def running_action(running: ActionView) -> rx.Component:
    """Return how far one action is, and the button that cancels it."""
    cancel = button("Cancel", kind="quiet", on_click=ActionState.cancel(running.id), data_testid="action-cancel")
    head = rx.el.div(
        rx.el.p(
            link(running.doing, to=f"/imports/{running.id}", class_name=styles.TEXT_LINK),
            class_name=f"{styles.STRONG} min-w-0 flex-1",
        ),
        rx.el.span(running.counts, class_name="text-muted tabular-nums", data_testid="action-counts"),
        for_writers(cancel),
        class_name="flex flex-wrap items-center gap-x-3 gap-y-1",
    )
    bar = progress_bar(running.percent, label=running.doing, data_testid="action-progress")
    return rx.el.div(head, bar, key=running.id, class_name="grid gap-2", data_testid="action-running")
