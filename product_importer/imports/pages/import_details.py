"""The folded details of an import: its file, its format, the options, the columns, and what was assumed."""

import reflex as rx

from product_importer.imports.models import UndoStatus
from product_importer.imports.pages.view_models import Fact, ImportView
from product_importer.imports.pages.warning_view import WarningView
from product_importer.ui.widgets import local_time, notice


def details(job: ImportView) -> rx.Component:
    """The file, its format, the options and the columns; also what was assumed of the file."""
    return rx.el.details(
        rx.el.summary(
            "Details",
            rx.cond(job.warnings.length() > 0, rx.el.span(ASSUMPTIONS, class_name="chip")),
            class_name="options-summary",
            data_testid="import-details",
        ),
        rx.el.div(rx.cond(job.warnings.length() > 0, warnings(job)), facts(job), class_name="folded stack"),
        class_name="options",
    )


ASSUMPTIONS = "how the file was read"


def facts(job: ImportView) -> rx.Component:
    """The facts, each under its label."""
    return rx.el.dl(
        detail("File", job.size, " · uploaded ", local_time(job.created_at), applied(job)),
        detail("Format", job.format, rx.cond(job.is_format_guessed, GUESSED, ""), testid="import-format"),
        rx.cond(job.sha256, detail("SHA-256", rx.el.code(job.sha256, class_name="mono"), testid="import-checksum")),
        detail("Options", rx.foreach(job.options, option), class_name="facts", testid="import-choices"),
        detail(
            "Columns",
            rx.foreach(job.columns, column),
            rx.foreach(job.other_columns, lambda line: rx.el.span(line, class_name="muted")),
            class_name="facts",
            testid="import-columns",
        ),
        rx.cond(job.started_by, detail("Started by", job.started_by, testid="import-started-by")),
        undo_deadline(job),
        class_name="details",
    )


GUESSED = " (detected, not certain). Is the text wrong? Upload the file again and choose the encoding under Options."


def undo_deadline(job: ImportView) -> rx.Component:
    """That the import can no longer be undone; until when it can, the button says."""
    too_old = detail("Undo", "No longer possible: the import is too old.")
    return rx.cond(job.undo.status == UndoStatus.EXPIRED, too_old)


def applied(job: ImportView) -> rx.Component:
    """When a dry run was applied."""
    return rx.cond(job.applied_at, rx.el.span(" · dry run, applied ", local_time(job.applied_at)))


def detail(label: str, *content: rx.Component | rx.Var | str, class_name: str = "", testid: str = "") -> rx.Component:
    """A label and its content."""
    return rx.el.div(
        rx.el.dt(label, class_name="label"), rx.el.dd(*content, class_name=class_name, data_testid=testid or None)
    )


def option(fact: Fact) -> rx.Component:
    """One option."""
    return rx.el.span(rx.el.span(fact.label, ": ", class_name="muted"), fact.value)


def column(fact: Fact) -> rx.Component:
    """A field, and the column that fills it if it has another name."""
    return rx.el.span(
        rx.el.span(fact.label, class_name="strong"), rx.cond(fact.value, rx.fragment(" from “", fact.value, "”"))
    )


def warnings(job: ImportView) -> rx.Component:
    """What the file was read with an assumption for; nothing failed, so screen readers are not interrupted."""
    return notice(
        rx.el.ul(rx.foreach(job.warnings, warning), class_name="notice-list"),
        title="Check how the file was read",
        tone="warning",
        role="status",
        data_testid="import-warnings",
    )


def warning(shown: WarningView) -> rx.Component:
    """One assumption, and where it was made."""
    return rx.el.li(shown.message, rx.cond(shown.where, rx.el.span(" ", shown.where, class_name="numeric")))
