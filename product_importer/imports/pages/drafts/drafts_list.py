"""The drafts that wait on the import page: go on with one, or discard it."""

from typing import Any

import reflex as rx

from product_importer.imports.drafts.schemas import DraftStatus
from product_importer.imports.pages.drafts.list_state import DraftListState
from product_importer.ui.layout import section
from product_importer.ui.widgets import badge, button, button_link, local_time


def unfinished_drafts() -> rx.Component:
    """The files that were chosen and not imported yet; nothing where there are none."""
    rows = rx.el.ul(
        rx.foreach(DraftListState.drafts, _row),
        class_name="divide-y divide-line rounded-xl border border-line bg-raised",
    )
    return rx.cond(DraftListState.drafts.length() > 0, section("Unfinished", rows))


def _row(draft: Any) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.p(draft.filename, class_name="truncate font-medium"),
            rx.el.p(draft.size, " · ", local_time(draft.created_at), class_name="text-muted"),
            class_name="min-w-0 grow",
        ),
        rx.cond(draft.is_refused, badge("cannot be read as it is", tone="warning"), _upload(draft)),
        button_link(
            "Continue",
            to=f"/imports/{draft.id}?step=columns",
            aria_label="Continue with " + draft.filename,
            data_testid="draft-continue",
        ),
        button(
            "Discard",
            kind="quiet",
            on_click=DraftListState.discard_draft(draft.id),
            aria_label="Discard " + draft.filename,
            data_testid="draft-discard",
        ),
        key=draft.id,
        class_name="flex flex-wrap items-center gap-3 px-4 py-3",
        data_testid="draft-row",
    )


def _upload(draft: Any) -> rx.Component:
    """How far the upload is, unless the file has arrived."""
    return rx.match(
        draft.status,
        (DraftStatus.RECEIVING.value, badge(f"uploading, {draft.percent} %", tone="busy")),
        (DraftStatus.BROKEN.value, badge("upload broken", tone="warning")),
        rx.fragment(),
    )
