"""The bar of an import, in two parts: reading, then writing or, in a dry run, comparing."""

from typing import Any

import reflex as rx

from product_importer.imports.pages.view_models import ImportView
from product_importer.imports.progress import READ_SHARE

# Each part is as wide as its share of the percent.
COLUMNS = {"gridTemplateColumns": f"{READ_SHARE}fr {100 - READ_SHARE}fr"}
FILLS = "h-full rounded-full transition-[width] duration-300 ease-linear motion-reduce:transition-none"


def import_bar(job: ImportView) -> rx.Component:
    """The bar, and the names of its parts while the import runs; the part at work is marked."""
    # An element whose role is progressbar hides what is in it from screen readers, so its names stand beside it.
    return rx.el.div(
        rx.el.div(
            part(job.bar.read, job.tone),
            part(job.bar.rest, job.tone),
            role="progressbar",
            aria_label="Import",
            aria_valuemin="0",
            aria_valuemax="100",
            aria_valuenow=job.percent,
            aria_valuetext=rx.cond(job.bar.part, f"{job.percent} %, {job.bar.part}", f"{job.percent} %"),
            style=COLUMNS,
            class_name="grid gap-1",
            data_testid="import-progress",
        ),
        rx.cond(job.is_running, names(job)),
        class_name="grid gap-1",
    )


def part(percent: Any, tone: Any) -> rx.Component:
    """One part of the bar, filled from left to right."""
    fill = rx.match(
        tone,
        ("good", f"{FILLS} bg-good"),
        ("warning", f"{FILLS} bg-warning"),
        ("bad", f"{FILLS} bg-bad"),
        ("neutral", f"{FILLS} bg-muted"),
        f"{FILLS} bg-accent",
    )
    return rx.el.div(
        # As an attribute: Reflex would add a rule to the page's styles for each width.
        rx.el.div(custom_attrs={"style": {"width": f"{percent}%"}}, class_name=fill),
        class_name="h-1.5 overflow-hidden rounded-full bg-line forced-color-adjust-none forced-colors:outline",
    )


def names(job: ImportView) -> rx.Component:
    """The names of the parts, each below its part."""
    return rx.el.div(
        name(job.bar.begins, job.bar.part == job.bar.begins),
        name(job.bar.follows, job.bar.part == job.bar.follows),
        style=COLUMNS,
        class_name="grid gap-1 text-xs",
        data_testid="import-parts",
    )


def name(text: Any, is_at_work: Any) -> rx.Component:
    """The name of one part; the current one is bold and says so to screen readers."""
    return rx.el.span(
        text,
        aria_current=rx.cond(is_at_work, "step", "false"),
        class_name=rx.cond(is_at_work, "font-semibold text-ink", "text-muted"),
    )
