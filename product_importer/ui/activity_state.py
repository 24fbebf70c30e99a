"""What every page shows of the work that goes on behind it: a percent in the navigation and in the tab's title."""

import reflex as rx

from product_importer.ui import theme


class ActivityState(rx.State):
    """The work that one browser tab knows of. Who does the work fills it; it is empty while there is none."""

    percent: str = ""
    # What the percent is of, for those who do not see where it stands.
    subject: str = ""
    # For screen readers only, said once.
    announcement: str = ""


def show(shown: ActivityState, percent: str, subject: str) -> None:
    """Show how far something is; only what has changed is sent."""
    if (shown.percent, shown.subject) != (percent, subject):
        shown.percent, shown.subject = percent, subject


def title(page: str) -> rx.Var[str]:
    """Return the document title of a page, with the percent of what goes on before it."""
    given = theme.title(page)
    return rx.cond(ActivityState.percent, f"{ActivityState.percent} {given}", given)


def navigation_note() -> rx.Component:
    """Return the percent beside a page's name in the navigation. It is no live region: it changes all the time."""
    return rx.cond(
        ActivityState.percent,
        rx.el.span(
            " ",
            ActivityState.percent,
            rx.el.span(" of ", ActivityState.subject, class_name="sr-only"),
            class_name="ml-1.5 text-xs text-accent tabular-nums",
            data_testid="navigation-percent",
        ),
    )


def announcements() -> rx.Component:
    """Return the region that screen readers read out when its text changes; nobody sees it."""
    return rx.el.p(ActivityState.announcement, aria_live="polite", class_name="sr-only", data_testid="announcement")
