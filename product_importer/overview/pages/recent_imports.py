"""The newest imports and actions on the overview."""

import reflex as rx

from product_importer.overview.pages.overview_state import OverviewState
from product_importer.overview.pages.view_models import RecentView
from product_importer.ui import routes, styles, tables
from product_importer.ui.layout import section
from product_importer.ui.widgets import badge, button_link, link, local_time

NAME = f"{styles.STRONG} inline-block py-0.5 hover:text-accent"
NONE = "rounded-xl border border-line bg-raised px-4 py-3 text-muted"


def recent_imports() -> rx.Component:
    """Return the newest of them, and the link to all."""
    rows = tables.body(rx.foreach(OverviewState.recent, recent_import))
    shown = tables.table(tables.headings("File or action", "Status", "Result", "Started"), rows)
    return section(
        "Recent imports and actions",
        rx.cond(OverviewState.recent.length() > 0, shown, rx.el.p("None yet", class_name=NONE)),
        actions=rx.el.div(button_link("See all", to=routes.IMPORTS, kind="quiet"), class_name="-mr-2"),
    )


def recent_import(job: RecentView) -> rx.Component:
    """Return one import or action."""
    name = link(job.filename, to=f"/imports/{job.id}", class_name=NAME)
    return tables.row(
        tables.lead(name),
        tables.cell(badge(job.status, tone=job.tone), label="Status"),
        tables.cell(job.words, label="Result", class_name="text-muted"),
        tables.cell(local_time(job.created_at), label="Started", class_name=tables.TIME),
        data_testid="overview-import",
        key=job.id,
    )
