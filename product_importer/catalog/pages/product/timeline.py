"""The history of a product: a line of changes, newest first."""

import reflex as rx

from product_importer.catalog.pages.product.state import ProductHistoryState, ProductState
from product_importer.catalog.pages.product.view_models import ChangeView, EntryView
from product_importer.ui import styles
from product_importer.ui.differences import comparison, differences
from product_importer.ui.layout import section
from product_importer.ui.live import with_news
from product_importer.ui.widgets import busy_button, button, link, loading, local_time, notice

# A line through the dots, from the first to the last.
ENTRY = (
    "relative pb-5 pl-6 before:absolute before:top-2 before:bottom-[-8px] before:left-[4px] before:w-px "
    "before:bg-line last:pb-0 last:before:hidden"
)
DOT = (
    "absolute top-[7px] left-0 size-[9px] rounded-full border-2 border-muted bg-ground "
    "data-[kind=created]:border-good data-[kind=created]:bg-good data-[kind=deleted]:border-bad "
    "data-[kind=deleted]:bg-bad "
    "data-[kind=restored]:border-accent data-[kind=undone]:border-accent forced-color-adjust-none"
)
# Within a sentence, so that a quotation mark stays with the word.
LINK = "rounded-sm underline decoration-line-strong underline-offset-3 hover:text-accent hover:decoration-current"
SUMMARY = "w-fit cursor-pointer rounded-sm py-1 text-[13px] text-accent select-none"
KEPT = (
    "Changes by hand are known as long as the record keeps them, and what an import or an action has overwritten "
    "as long as it can be undone. Which import created a product is always known."
)


def history() -> rx.Component:
    """The section with the history."""
    state = ProductHistoryState
    return section(
        "History",
        rx.cond(state.load_error, load_error()),
        rx.cond(
            state.loaded,
            with_news(state, ProductState.reload, timeline()),
            rx.cond(state.load_error, rx.fragment(), loading()),
        ),
    )


def load_error() -> rx.Component:
    """Why the history cannot be shown, and a button to try again."""
    state = ProductHistoryState
    return notice(
        rx.el.p(state.load_error),
        rx.el.div(button("Try again", on_click=state.load_history), class_name=f"{styles.ACTIONS} mt-2.5"),
        title="The history cannot be shown",
        data_testid="history-problem",
    )


def timeline() -> rx.Component:
    """The changes, and a button for earlier ones."""
    more = busy_button(
        "Show more",
        "Loading…",
        is_busy=ProductHistoryState.is_loading,
        on_click=ProductHistoryState.show_more,
        data_testid="history-more",
    )
    return rx.el.div(
        rx.el.ol(rx.foreach(ProductHistoryState.entries, entry_item), data_testid="product-history"),
        rx.el.div(rx.cond(ProductHistoryState.has_more, more), class_name="mt-4 empty:hidden"),
        rx.el.p(KEPT, class_name=f"{styles.HINT} mt-4 max-w-[560px] text-pretty"),
        class_name=f"{styles.CARD} min-w-0",
    )


def entry_item(entry: EntryView) -> rx.Component:
    """One change: what, by whom, when, and the values; below it, that changes before it are not known."""
    return rx.el.li(
        rx.el.span(class_name=DOT, data_kind=entry.kind, aria_hidden="true"),
        headline(entry),
        rx.el.p(rx.cond(entry.by, f"{entry.by} · ", ""), local_time(entry.at), class_name=styles.HINT),
        rx.cond(entry.note, rx.el.p(entry.note, class_name="text-[13px] text-muted")),
        rx.cond(
            entry.changes.length() > 0,
            rx.cond(entry.summary, folded(entry), values(entry)),
        ),
        rx.cond(entry.gap, gap(entry.gap)),
        key=entry.key,
        class_name=ENTRY,
        data_testid="history-entry",
        data_kind=entry.kind,
    )


def headline(entry: EntryView) -> rx.Component:
    """What was done, and by which import or action."""
    by_job = rx.fragment(" “", link(entry.filename, to=entry.address, class_name=LINK), "”")
    return rx.el.p(entry.words, rx.cond(entry.filename, by_job), class_name=f"{styles.STRONG} wrap-anywhere")


def folded(entry: EntryView) -> rx.Component:
    """Many values, shown on request."""
    return rx.el.details(rx.el.summary(entry.summary, class_name=SUMMARY), values(entry))


def values(entry: EntryView) -> rx.Component:
    """The fields with their values: before and after, or those of a product that was created or deleted."""
    return rx.cond(
        entry.is_whole,
        differences(("Field", "Value"), rx.foreach(entry.changes, whole_row)),
        differences(("Field", "Before", "After"), rx.foreach(entry.changes, change_row)),
    )


def whole_row(change: ChangeView) -> rx.Component:
    """A field of a product that was created or deleted: only one side has a value."""
    return comparison(change.name, ("", rx.cond(change.before, change.before, change.after)))


def change_row(change: ChangeView) -> rx.Component:
    """A field with its value before and after the change."""
    before, after = value(change.before, change.before_note), value(change.after, change.after_note)
    return comparison(change.name, ("Before", before), ("After", after), data_testid="history-change")


def value(text: rx.Var[str], note: rx.Var[str]) -> rx.Component:
    """A value, or what stands in its place."""
    return rx.cond(text, rx.el.span(text), rx.el.span(note, class_name="text-muted italic"))


def gap(words: rx.Var[str]) -> rx.Component:
    """Say that something is not known any more."""
    return rx.el.p(words, " not known any more.", class_name="mt-3 text-[13px] text-muted", data_testid="history-gap")
