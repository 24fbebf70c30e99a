"""An import on a card: how far it is, what came of it, what can be done with it, and how it was read."""

import reflex as rx

from product_importer.imports.pages.import_state import ImportState
from product_importer.imports.pages.undo_dialog import undo_result
from product_importer.imports.pages.undo_state import UndoState
from product_importer.imports.pages.view_models import Fact, ImportView
from product_importer.ui.widgets import badge, button, download_link, figure, link, local_time, notice, progress_bar


def running_import(job: ImportView) -> rx.Component:
    """The import that is going on, above the history."""
    return rx.el.div(
        head(job, link(job.filename, to=f"/imports/{job.id}", class_name="strong"), cancel_button(job)),
        progress_bar(job.percent, label="Import", tone=job.tone, data_testid="import-progress"),
        figures(job),
        class_name="card stack",
    )


def import_card(job: ImportView) -> rx.Component:
    """An import on its own page, which bears the file's name as a title."""
    return rx.el.div(
        head(job, rx.fragment(), actions(job)),
        progress_bar(job.percent, label="Import", tone=job.tone, data_testid="import-progress"),
        rx.cond(ImportState.refusal.title, refusal()),
        rx.cond(job.error, notice(rx.el.p(job.error), data_testid="import-failure")),
        rx.cond(job.stopped, stopped(job)),
        undo_result(job),
        rx.cond(job.can_apply, rx.el.p(TRIAL, class_name="trial-note")),
        figures(job),
        details(job),
        class_name="card stack",
    )


TRIAL = "This was a trial: nothing has been changed yet. Look at what it would do, then apply it."


def head(job: ImportView, title: rx.Component, buttons: rx.Component) -> rx.Component:
    """How it stands."""
    return rx.el.div(
        badge(job.status, tone=job.tone, data_testid="import-status", role="status"),
        title,
        rx.el.span(job.doing, class_name="muted numeric grow"),
        buttons,
        class_name="row",
    )


def actions(job: ImportView) -> rx.Component:
    """What can be done with it now."""
    return rx.el.div(
        rx.cond(job.is_running, cancel_button(job)),
        rx.cond(job.undo.status == "possible", undo_button(job)),
        rx.cond(job.can_retry, retry_button(job)),
        rx.cond(job.can_apply, apply_button()),
        class_name="actions",
    )


def cancel_button(job: ImportView) -> rx.Component:
    """Stop the running import."""
    return rx.cond(
        job.is_running,
        button("Cancel import", on_click=ImportState.cancel_import(job.id), data_testid="import-cancel"),
    )


def retry_button(job: ImportView) -> rx.Component:
    """Go on where it stopped; a trial looks again at what is in the catalogue by now."""
    return button(
        rx.cond(job.can_apply, "Try again", "Retry"),
        kind=rx.cond(job.can_apply, "", "primary"),
        on_click=ImportState.retry_import,
        disabled=ImportState.is_asking,
        data_testid="import-retry",
    )


def apply_button() -> rx.Component:
    """Do what the trial has shown."""
    return button(
        "Apply",
        kind="primary",
        on_click=ImportState.apply_import,
        disabled=ImportState.is_asking,
        title="Change the catalogue as the trial has shown",
        data_testid="import-apply",
    )


def undo_button(job: ImportView) -> rx.Component:
    """Take it back, after a question."""
    return button("Undo…", on_click=UndoState.open_dialog(job.id), data_testid="import-undo")


def refusal() -> rx.Component:
    """Why what was asked for was not done."""
    why = ImportState.refusal
    return notice(
        rx.el.p(why.detail),
        rx.cond(
            why.points.length() > 0,
            rx.el.ul(rx.foreach(why.points, lambda one: rx.el.li(one, class_name="chip mono")), class_name="chips"),
        ),
        title=why.title,
        data_testid="import-refusal",
    )


def stopped(job: ImportView) -> rx.Component:
    """What an import that did not reach its end has left."""
    return rx.el.p(
        job.stopped,
        rx.cond(job.can_retry, " Retry goes on from there.", ""),
        rx.cond(job.file_gone, " Its file is kept no longer; upload it again to go on.", ""),
        data_testid="import-stopped",
    )


def figures(job: ImportView) -> rx.Component:
    """The counts."""
    return rx.el.dl(
        figure("Processed", job.processed, testid="import-processed"),
        figure("Total rows", job.total, testid="import-total"),
        figure(rx.cond(job.is_dry_run, "To create", "Created"), job.created, testid="import-created"),
        figure(rx.cond(job.is_dry_run, "To update", "Updated"), job.updated, testid="import-updated"),
        figure("Unchanged", job.unchanged, testid="import-unchanged"),
        figure("Duplicates", job.duplicates, testid="import-duplicates", note=duplicates_file(job)),
        figure("Rejected", job.rejected, testid="import-rejected", note=rejects_file(job)),
        class_name="figures",
    )


def rejects_file(job: ImportView) -> rx.Component:
    """The rejected rows, each with its reason."""
    file = download_link(
        "Download",
        href=f"/api/jobs/{job.id}/rejects",
        aria_label="Download the rejected rows",
        class_name="figure-note",
    )
    return rx.cond(job.has_rejects, file)


def duplicates_file(job: ImportView) -> rx.Component:
    """The rows that lost against another with the same SKU."""
    file = download_link(
        "Download",
        href=f"/api/jobs/{job.id}/rejects?duplicates=true",
        aria_label="Download the duplicate rows",
        class_name="figure-note",
    )
    return rx.cond(job.has_duplicates, file)


def details(job: ImportView) -> rx.Component:
    """The file, how it was read, and what was chosen."""
    return rx.el.dl(
        detail("File", job.size, " · started ", local_time(job.created_at), applied(job)),
        detail("Format", job.format, rx.cond(job.is_format_guessed, GUESSED, ""), testid="import-format"),
        detail("Choices", rx.foreach(job.choices, chosen), class_name="facts", testid="import-choices"),
        detail(
            "Columns",
            rx.foreach(job.columns, column),
            rx.foreach(job.other_columns, lambda told: rx.el.span(told, class_name="muted")),
            class_name="facts",
            testid="import-columns",
        ),
        undo_chance(job),
        class_name="details",
    )


GUESSED = " — found by its bytes. Is the text wrong? Upload the file again and say how it is written under Choices."


def undo_chance(job: ImportView) -> rx.Component:
    """Whether it can be taken back."""
    return rx.match(
        job.undo.status,
        ("possible", detail("Undo", "Possible until ", local_time(job.undo.until))),
        ("expired", detail("Undo", "It was too long ago to be undone.")),
        rx.fragment(),
    )


def applied(job: ImportView) -> rx.Component:
    """When a trial was applied."""
    return rx.cond(job.applied_at, rx.el.span(" · tried first, applied ", local_time(job.applied_at)))


def detail(label: str, *content: rx.Component | rx.Var | str, class_name: str = "", testid: str = "") -> rx.Component:
    """Something to know, under its name."""
    return rx.el.div(
        rx.el.dt(label, class_name="label"), rx.el.dd(*content, class_name=class_name, data_testid=testid or None)
    )


def chosen(fact: Fact) -> rx.Component:
    """One choice."""
    return rx.el.span(rx.el.span(fact.label, ": ", class_name="muted"), fact.value)


def column(fact: Fact) -> rx.Component:
    """A field, and the column that fills it."""
    return rx.el.span(
        rx.el.span(fact.label, class_name="strong"), rx.cond(fact.value, rx.fragment(" from “", fact.value, "”"))
    )
