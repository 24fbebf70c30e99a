"""Reflex's line chart of recharts, loaded only where a chart is shown: its code weighs more than any page.

Reflex itself loads the chart late, but its parts with the page; then the page has all of recharts.
"""

from typing import Any

import reflex as rx
from reflex_base.components.component import NoSSRComponent  # type: ignore[import-untyped]
from reflex_components_recharts import cartesian, charts, general  # type: ignore[import-untyped]


class Line(NoSSRComponent, cartesian.Line):
    """A line."""


class XAxis(NoSSRComponent, cartesian.XAxis):
    """The horizontal axis."""


class YAxis(NoSSRComponent, cartesian.YAxis):
    """The vertical axis."""


class CartesianGrid(NoSSRComponent, cartesian.CartesianGrid):
    """The lines behind the chart."""


class ResponsiveContainer(NoSSRComponent, general.ResponsiveContainer):
    """The box that the chart fills."""


class LineChart(charts.LineChart):
    """The chart, in a box that is loaded late, too."""

    @classmethod
    def create(cls, *children: Any, **props: Any) -> rx.Component:
        """Return the chart; it fills the element around it, which has a height of its own."""
        chart = super(charts.ChartBase, cls).create(*children, **props)
        return ResponsiveContainer.create(chart, width="100%", height="100%")
