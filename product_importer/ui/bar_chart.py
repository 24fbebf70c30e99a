"""Reflex's bar chart of recharts, loaded only where a chart is shown, as `line_chart` has it."""

from typing import Any

import reflex as rx
from reflex_base.components.component import NoSSRComponent  # type: ignore[import-untyped]
from reflex_components_recharts import cartesian, charts, general  # type: ignore[import-untyped]

from product_importer.ui.line_chart import ResponsiveContainer

# What recharts puts on the page by itself has no classes of ours.
CARD = {
    "background": "var(--raised)",
    "border": "1px solid var(--line-strong)",
    "borderRadius": "8px",
    "fontSize": "12px",
    "padding": "6px 10px",
}


class Bar(NoSSRComponent, cartesian.Bar):
    """A part of each bar."""


class GraphingTooltip(NoSSRComponent, general.GraphingTooltip):
    """The values of the bar under the pointer."""


class BarChart(charts.BarChart):
    """The chart, in a box that is loaded late, too."""

    @classmethod
    def create(cls, *children: Any, **props: Any) -> rx.Component:
        """Return the chart; it fills the element around it, which has a height of its own."""
        chart = super(charts.ChartBase, cls).create(*children, **props)
        return ResponsiveContainer.create(chart, width="100%", height="100%")


def tooltip(*, label: str, value: str) -> rx.Component:
    """Return the values under the pointer; `label` and `value` are JavaScript functions that format these."""
    formats: dict[str, rx.Var[Any]] = {"labelFormatter": rx.Var(label), "formatter": rx.Var(value)}
    return GraphingTooltip.create(
        custom_attrs=formats,
        content_style=CARD,
        label_style={"color": "var(--muted)"},
        item_style={"color": "var(--ink)", "padding": "0"},
        cursor={"fill": "var(--sunken)"},
        is_animation_active=False,
    )
