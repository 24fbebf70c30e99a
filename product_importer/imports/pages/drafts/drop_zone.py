"""Choose files: on the import page, by dropping them on any page, and the queue of those that are being sent."""

from typing import Any

import reflex as rx

from product_importer.imports.pages.drafts.receive_state import ReceiveState
from product_importer.imports.pages.drafts.uploads import (
    RECEIVER,
    DropOverlay,
    Upload,
    file_input,
    remove_upload,
    send_again,
    uploads_elsewhere,
)
from product_importer.ui import styles
from product_importer.ui.access_state import AccessState
from product_importer.ui.palette.keyboard import shortcut
from product_importer.ui.widgets import button, download_link, link, progress_bar

FILE_TYPES = (
    "CSV, TSV, JSON or JSON Lines, also packed (.gz, .zip, .xz …), a workbook (.xlsx, .xls, .xlsb, .ods), "
    "or Parquet. The first line or the keys name the columns: sku, name, description."
)
# Of a file input: it keeps its focus and its name, while its label is what is seen.
UNSEEN = "peer absolute inset-0 h-full w-full cursor-pointer opacity-0"
LOOKS_FOCUSED = "peer-focus-visible:outline-2 peer-focus-visible:outline-offset-2 peer-focus-visible:outline-accent"


def drop_anywhere(content: rx.Component) -> rx.Component:
    """Return a page that takes files wherever they are dropped, and shows which are being sent."""
    return rx.fragment(
        content,
        drop_overlay(
            rx.icon("upload", size=28, aria_hidden="true"),
            rx.el.p("Drop to import", class_name="text-lg font-semibold"),
            rx.el.p("Several files become a queue.", class_name="text-muted"),
        ),
        rx.cond(AccessState.can_import, upload_queue()),
    )


def drop_overlay(*content: rx.Component) -> rx.Component:
    """What is seen over the page while files are dragged."""
    card = rx.el.div(
        *content,
        class_name="grid justify-items-center gap-2 rounded-xl border border-line bg-raised px-10 py-8 text-ink",
    )
    return DropOverlay.create(
        rx.el.div(
            card,
            role="status",
            class_name="pointer-events-none fixed inset-0 z-50 grid place-items-center border-4 border-dashed "
            "border-accent bg-accent-soft/80",
            data_testid="drop-overlay",
        ),
        receiver=RECEIVER,
        known=AccessState.is_known,
        disabled=~AccessState.can_import,
        begun=ReceiveState.begun,
        refused=ReceiveState.refused,
    )


def drop_zone() -> rx.Component:
    """Where files are chosen on the import page; what is chosen is sent at once."""
    return rx.el.div(
        file_input(
            multiple=True,
            aria_label="Choose files to import",
            title="",
            class_name=UNSEEN,
            custom_attrs=shortcut("new"),
        ),
        rx.el.div(
            rx.icon("file-up", size=24, aria_hidden="true", class_name="text-muted"),
            rx.el.p("Drop a file here, or anywhere in this window", class_name="text-base font-semibold"),
            rx.el.p(FILE_TYPES, class_name="max-w-prose text-muted"),
            rx.el.span("Choose a file", class_name=f"{styles.button_look('primary')} mt-2", aria_hidden="true"),
            class_name="grid justify-items-center gap-2 rounded-xl border border-dashed border-line-strong bg-sunken "
            f"px-4 py-8 text-center {LOOKS_FOCUSED}",
        ),
        class_name="relative",
        data_testid="import-file",
    )


def first_steps() -> rx.Component:
    """What somebody with an empty catalogue and no file can do."""
    return rx.el.div(
        rx.el.p("No file at hand?", class_name="font-semibold"),
        button("Try with sample data", on_click=ReceiveState.start_sample, data_testid="import-sample"),
        rx.el.span("or fill in a template: ", class_name="text-muted"),
        download_link(
            "CSV", href="/api/import-template.csv", class_name=styles.TEXT_LINK, data_testid="template-csv"
        ),
        download_link(
            "Excel", href="/api/import-template.xlsx", class_name=styles.TEXT_LINK, data_testid="template-xlsx"
        ),
        class_name="flex flex-wrap items-center gap-3 rounded-lg border border-line bg-raised px-4 py-3",
        data_testid="import-first-steps",
    )


def upload_queue() -> rx.Component:
    """The files of this tab that are being sent, on every page; the draft's own page shows its file itself."""
    uploads = uploads_elsewhere()
    return rx.cond(
        uploads.length() > 0,
        rx.el.section(
            rx.el.h2("Uploads", class_name="text-sm font-semibold"),
            rx.el.ul(rx.foreach(uploads, _upload), class_name="grid gap-3"),
            aria_label="Uploads",
            class_name="fixed right-4 bottom-4 z-40 grid max-h-[50vh] w-80 max-w-[calc(100vw-2rem)] gap-2 "
            "overflow-y-auto rounded-xl border border-line bg-raised p-4 shadow-lg",
            data_testid="upload-queue",
        ),
    )


def _upload(upload: Any) -> rx.Component:
    name = rx.cond(
        upload.draft,
        link(upload.name, to=f"/imports/{upload.draft}?step=columns", class_name=f"{styles.TEXT_LINK} truncate"),
        rx.el.span(upload.name, class_name="truncate"),
    )
    return rx.el.li(
        rx.el.div(name, _buttons(upload), class_name="flex items-center justify-between gap-2"),
        rx.cond(upload.state == "sending", upload_progress(upload)),
        rx.el.p(upload_words(upload), class_name="text-muted", role="status", data_testid="upload-state"),
        class_name="grid gap-1",
        key=upload.key,
        data_testid="upload",
    )


def _buttons(upload: Any) -> rx.Component:
    is_over = (upload.state == "sent") | (upload.state == "refused")
    remove = rx.el.button(
        rx.icon("x", size=16, aria_hidden="true"),
        type="button",
        on_click=remove_upload(upload.key),
        aria_label=rx.cond(is_over, "Close ", "Stop and remove ") + upload.name,
        class_name="grid size-6 place-items-center rounded text-muted hover:bg-sunken hover:text-ink",
        data_testid="upload-remove",
    )
    again = button("Start again", on_click=send_again(upload.key), data_testid="upload-again")
    return rx.el.div(rx.cond(upload.state == "broken", again), remove, class_name="flex items-center gap-2")


def upload_progress(upload: Any, **props: Any) -> rx.Component:
    """The bar of an upload, with its percent, speed and time left."""
    return rx.el.div(
        progress_bar(upload.percent, label="Upload", data_testid="upload-progress"),
        rx.el.p(
            upload.percent,
            " %",
            rx.cond(upload.speed, rx.el.span(" · ", upload.speed)),
            rx.cond(upload.left, rx.el.span(" · ", upload.left)),
            class_name="text-muted tabular-nums",
            data_testid="upload-pace",
        ),
        class_name="grid gap-1",
        **props,
    )


def upload_words(upload: rx.Var[Upload]) -> rx.Var[str]:
    """Say in words what has become of an upload."""
    return rx.match(
        upload.state,
        ("waiting", "Waiting for the file before it"),
        ("sending", "Uploading"),
        ("sent", "Uploaded"),
        ("broken", "The connection broke. The file can be sent again."),
        ("changed", "The file was changed or moved. Choose it again."),
        ("refused", upload.reason),
        "",
    )
