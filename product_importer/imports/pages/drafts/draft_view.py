"""The page of a draft: how far its upload is, what its columns become, and the buttons that start its import."""

from typing import Any

import reflex as rx

from product_importer.imports.drafts.schemas import DraftStatus
from product_importer.imports.pages.drafts.columns_table import columns_table
from product_importer.imports.pages.drafts.draft_state import DraftState
from product_importer.imports.pages.drafts.drop_zone import LOOKS_FOCUSED, UNSEEN, upload_progress
from product_importer.imports.pages.drafts.focus import asking
from product_importer.imports.pages.drafts.mappings import mappings
from product_importer.imports.pages.drafts.reading_form import (
    encoding_choice,
    options_form,
    reading_form,
    variants_question,
)
from product_importer.imports.pages.drafts.uploads import file_input, send_again, upload_of
from product_importer.imports.pages.steps import steps
from product_importer.ui import styles
from product_importer.ui.access_state import for_importers
from product_importer.ui.widgets import busy_button, button, button_link, loading, notice, progress_bar

START = "sticky bottom-0 flex flex-wrap items-center justify-end gap-3 border-t border-line bg-ground py-3"


def draft_view() -> rx.Component:
    """The steps, the upload, and the columns step."""
    return rx.el.div(
        steps("columns"),
        for_importers(
            asking(
                upload(),
                problems(),
                rx.cond(DraftState.is_read, columns_step(), loading()),
                start_buttons(),
                class_name="grid gap-4",
            ),
            instead=rx.el.p("This file waits for somebody who may import.", class_name="text-muted"),
        ),
        class_name="grid gap-4",
    )


def columns_step() -> rx.Component:
    """The columns, and beside them how the file is read."""
    return rx.el.div(
        rx.el.div(
            rx.cond(DraftState.encodings.length() > 0, encoding_choice()),
            rx.cond(DraftState.reading.continuations, variants_question()),
            rx.cond(DraftState.columns.length() > 0, rx.fragment(mappings(), columns_table(), warnings())),
            class_name="grid min-w-0 content-start gap-4",
        ),
        rx.el.div(reading_form(), options_form(), class_name="grid min-w-0 content-start gap-4"),
        class_name="grid gap-4 lg:grid-cols-[minmax(0,1fr)_18rem]",
    )


def warnings() -> rx.Component:
    """What was assumed of the file."""
    lines = DraftState.reading.warnings
    shown = notice(
        rx.el.ul(rx.foreach(lines, rx.el.li), class_name="grid list-disc gap-1 pl-5"),
        title="Read with an assumption",
        tone="warning",
        role="status",
        data_testid="columns-warnings",
    )
    return rx.cond(lines.length() > 0, shown)


def problems() -> rx.Component:
    """Why the file cannot be imported as it is, and why the last choice or the start was refused."""
    state = DraftState
    return rx.fragment(
        rx.cond(state.problem.title, problem(state.problem), rx.cond(state.refusal.title, problem(state.refusal))),
        rx.cond(state.fault, notice(rx.el.p(state.fault), title="This choice is not possible", data_testid="fault")),
    )


def problem(shown: Any) -> rx.Component:
    """One problem; it can take the focus."""
    running = button_link("Show the running import", to=shown.import_address, data_testid="import-running")
    return notice(
        rx.el.p(shown.detail),
        rx.cond(shown.import_address, rx.el.div(running, class_name=f"{styles.ACTIONS} mt-2")),
        title=shown.title,
        tone=shown.tone,
        tab_index=-1,
        custom_attrs={"data-problem": ""},
        data_testid="import-error",
    )


def upload() -> rx.Component:
    """How much of the file has arrived, or that its upload broke, and how to go on."""
    sent = upload_of(DraftState.draft.id)
    status = DraftState.draft.status
    return rx.cond(
        (status == DraftStatus.RECEIVED) | DraftState.draft.is_refused,
        rx.fragment(),
        rx.match(
            sent.state,
            ("sending", sending(sent)),
            ("waiting", rx.el.p("The upload waits for the file before it.", role="status")),
            ("broken", broken(sent)),
            ("changed", choose_again()),
            ("sent", rx.el.p("The file has arrived and is being checked …", role="status")),
            rx.cond(status == DraftStatus.RECEIVING, from_elsewhere(), choose_again()),
        ),
    )


def sending(sent: Any) -> rx.Component:
    """The upload of this tab."""
    return rx.el.div(
        rx.el.p("Uploading. You can go on meanwhile, on other pages, too.", role="status"),
        upload_progress(sent),
        class_name="grid gap-2 rounded-xl border border-line bg-raised p-4",
    )


def broken(sent: Any) -> rx.Component:
    """The upload broke, but the browser still has the file."""
    return notice(
        rx.el.p("What has arrived is kept only with the rest. The file is still at hand: one click sends it again."),
        rx.el.div(
            button("Start again", kind="primary", on_click=send_again(sent.key), data_testid="upload-again"),
            class_name=f"{styles.ACTIONS} mt-2",
        ),
        title="The connection broke during the upload",
        data_testid="upload-broken",
    )


def from_elsewhere() -> rx.Component:
    """The upload of another tab, or of another person."""
    return rx.el.div(
        rx.el.p("Being uploaded in another window. If there is none any more, choose the file again.", role="status"),
        progress_bar(DraftState.draft.percent, label="Upload", data_testid="upload-progress"),
        choose_same(kind=""),
        class_name="grid gap-2 rounded-xl border border-line bg-raised p-4",
    )


def choose_again() -> rx.Component:
    """The upload broke, and the browser has no file any more: the same one is asked for."""
    return notice(
        rx.el.p("Choose “", DraftState.draft.filename, "” again: the draft keeps its columns and options."),
        choose_same(kind="primary"),
        title="The upload was not finished",
        tone="warning",
        data_testid="upload-broken",
    )


def choose_same(*, kind: str) -> rx.Component:
    """A button that chooses the file of this draft again; its upload begins anew."""
    return rx.el.div(
        file_input(DraftState.draft.id, aria_label="Choose the same file again", class_name=UNSEEN),
        rx.el.span(
            "Choose the same file", class_name=f"{styles.button_look(kind)} {LOOKS_FOCUSED}", aria_hidden="true"
        ),
        class_name="relative mt-2 inline-block",
        data_testid="upload-choose",
    )


def start_buttons() -> rx.Component:
    """Start the import, or look first at what it would change."""
    state = DraftState
    return rx.el.div(
        rx.cond(state.draft.will_start, waiting()),
        button("Discard", kind="quiet", on_click=state.discard, data_testid="draft-discard"),
        busy_button(
            "Check first",
            "Check first",
            is_busy=state.is_starting,
            on_click=state.start_dry_run,
            title="Show what the import would change, without changing anything",
            data_testid="import-try",
        ),
        busy_button(
            "Import",
            "Import",
            is_busy=state.is_starting,
            kind="primary",
            on_click=state.start_import,
            data_testid="import-start",
        ),
        class_name=START,
    )


def waiting() -> rx.Component:
    """That the start was asked for before the file had arrived."""
    return rx.el.p(
        rx.cond(DraftState.draft.will_start == "import", "The import", "The check"),
        " starts when the file has arrived.",
        role="status",
        class_name="mr-auto text-muted",
        data_testid="import-waiting",
    )
