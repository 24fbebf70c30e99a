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
            rx.icon("chevron-right", size=16, aria_hidden="true", class_name=CHEVRON),
            "Details",
            rx.cond(job.warnings.length() > 0, rx.el.span(rx.cond(job.action, LEFT, ASSUMPTIONS), class_name=CHIP)),
            class_name=SUMMARY,
            data_testid="import-details",
        ),
        rx.el.div(
            rx.cond(job.warnings.length() > 0, warnings(job)),
            rx.cond(job.action, action_facts(job), facts(job)),
            class_name=FOLDED,
        ),
        class_name="group rounded-[10px] border border-line bg-raised shadow-[var(--shadow)]",
    )


SUMMARY = (
    "flex cursor-pointer list-none flex-wrap items-center gap-x-2.5 gap-y-1.5 rounded-[10px] px-3.5 py-2 "
    "hover:bg-sunken [&::-webkit-details-marker]:hidden"
)
CHEVRON = "text-muted transition-transform group-open:rotate-90 motion-reduce:transition-none"
CHIP = "rounded-md border border-line px-2 text-xs leading-5 text-muted"
FOLDED = "grid grid-cols-[minmax(0,1fr)] gap-4 px-3.5 pt-1 pb-4"
FACTS = "flex flex-wrap gap-x-4.5 gap-y-0.5"
ASSUMPTIONS = "how the file was read"
LEFT = "not all were updated"


def facts(job: ImportView) -> rx.Component:
    """The facts, each under its label."""
    return rx.el.dl(
        detail("File", job.size, " · uploaded ", local_time(job.created_at), applied(job)),
        detail("Format", job.format, rx.cond(job.is_format_guessed, GUESSED, ""), testid="import-format"),
        rx.cond(
            job.sha256,
            detail("SHA-256", rx.el.code(job.sha256, class_name="font-mono text-[13px]"), testid="import-checksum"),
        ),
        detail("Options", rx.foreach(job.options, option), class_name=FACTS, testid="import-choices"),
        detail(
            "Columns",
            rx.foreach(job.columns, column),
            rx.foreach(job.other_columns, lambda line: rx.el.span(line, class_name="text-muted")),
            class_name=FACTS,
            testid="import-columns",
        ),
        rx.cond(job.started_by, detail("Started by", job.started_by, testid="import-started-by")),
        undo_deadline(job),
        class_name="grid gap-2.5",
    )


def action_facts(job: ImportView) -> rx.Component:
    """What an action has done with which products."""
    return rx.el.dl(
        detail("Products", job.action_products, testid="action-products"),
        rx.cond(
            job.action_values.length() > 0,
            detail("Set", rx.foreach(job.action_values, option), class_name=FACTS, testid="action-values"),
        ),
        detail("Started", local_time(job.created_at)),
        rx.cond(job.started_by, detail("Started by", job.started_by)),
        undo_deadline(job),
        class_name="grid gap-2.5",
    )


GUESSED = " (detected, not certain). Is the text wrong? Upload the file again and choose the encoding under Options."


def undo_deadline(job: ImportView) -> rx.Component:
    """That the import can no longer be undone; until when it can, the button says."""
    too_old = detail("Undo", "No longer possible: it is too long ago.")
    return rx.cond(job.undo.status == UndoStatus.EXPIRED, too_old)


def applied(job: ImportView) -> rx.Component:
    """When a dry run was applied."""
    return rx.cond(job.applied_at, rx.el.span(" · dry run, applied ", local_time(job.applied_at)))


def detail(label: str, *content: rx.Component | rx.Var | str, class_name: str = "", testid: str = "") -> rx.Component:
    """A label and its content."""
    return rx.el.div(
        rx.el.dt(label, class_name="text-xs leading-[21px] font-medium text-muted"),
        rx.el.dd(*content, class_name=f"wrap-anywhere {class_name}", data_testid=testid or None),
        class_name="grid min-[721px]:grid-cols-[84px_minmax(0,1fr)] min-[721px]:gap-3",
    )


def option(fact: Fact) -> rx.Component:
    """One option."""
    return rx.el.span(rx.el.span(fact.label, ": ", class_name="text-muted"), fact.value)


def column(fact: Fact) -> rx.Component:
    """A field, and the column that fills it if it has another name."""
    return rx.el.span(
        rx.el.span(fact.label, class_name="font-medium"), rx.cond(fact.value, rx.fragment(" from “", fact.value, "”"))
    )


def warnings(job: ImportView) -> rx.Component:
    """What the file was read with an assumption for, or which products an action left; nothing has failed.

    So screen readers are not interrupted.
    """
    return notice(
        rx.el.ul(rx.foreach(job.warnings, warning), class_name="grid list-none gap-1"),
        title=rx.cond(job.action, "Not all products were updated", "Check how the file was read"),
        tone="warning",
        role="status",
        data_testid="import-warnings",
    )


def warning(shown: WarningView) -> rx.Component:
    """One assumption, and where it was made."""
    return rx.el.li(shown.message, rx.cond(shown.where, rx.el.span(" ", shown.where, class_name="tabular-nums")))
