"""The looks that several components share, as Tailwind's classes. Colours and sizes are tokens of assets/theme.css.

Tailwind finds classes in the built pages: they are whole words here, never put together from parts.
"""

from typing import Any

import reflex as rx

# Text.
STRONG = "font-medium text-ink"
MONO = "font-mono text-[13px]"
LABEL = "text-xs font-medium text-muted"
HINT = "block text-xs text-muted"
FAULT = "text-xs text-bad wrap-anywhere not-empty:mt-1"
TITLE = "text-xl font-semibold tracking-tight wrap-anywhere"
TEXT_LINK = (
    "inline-block rounded-sm py-0.5 underline decoration-line-strong underline-offset-3 hover:text-accent "
    "hover:decoration-current"
)
# One line, or two in the cards of narrow windows.
CLAMP = "line-clamp-1 wrap-anywhere max-md:line-clamp-2"

# Arrangements.
STACK = "grid grid-cols-1 gap-4"
FORM = "grid grid-cols-1 gap-3.5"
ROW = "flex flex-wrap items-center gap-3"
LINE = "flex min-w-0 flex-wrap items-center gap-x-2.5 gap-y-1"
ACTIONS = "flex flex-wrap items-center gap-2 empty:hidden"
FACTS = "grid grid-cols-1 gap-2.5"
# A label and its value.
FACT = "grid gap-x-3 md:grid-cols-[110px_minmax(0,1fr)]"
# The number of entries above a list, and what is done with all of them.
COUNT = "-mb-2.5 flex min-h-7 flex-wrap items-center gap-1"

# Surfaces.
CARD = "rounded-xl border border-line bg-raised p-5 shadow-xs max-md:p-4"
EMPTY = "grid justify-items-center gap-1.5 rounded-xl border border-dashed border-line-strong px-5 py-14 text-center"
LOADING = "min-h-40 animate-pulse rounded-xl border border-line bg-sunken"
CHIPS = "flex flex-wrap gap-1.5"
CHIP = "rounded-md border border-line px-2 text-xs leading-5 font-normal text-muted"
NOTICE = (
    "group/notice scroll-mb-20 rounded-lg px-3.5 py-3 wrap-anywhere data-[tone=bad]:bg-bad-soft "
    "data-[tone=warning]:bg-warning-soft"
)
NOTICE_TITLE = (
    "flex gap-2 font-semibold group-data-[tone=bad]/notice:text-bad group-data-[tone=warning]/notice:text-warning"
)
BADGE = (
    "inline-flex items-center gap-1.5 rounded-full bg-sunken px-[9px] py-px text-xs leading-5 font-medium "
    "whitespace-nowrap text-muted before:size-1.5 before:rounded-full before:bg-current "
    "before:forced-color-adjust-none data-[tone=bad]:bg-bad-soft data-[tone=bad]:text-bad "
    "data-[tone=busy]:bg-accent-soft data-[tone=busy]:text-accent data-[tone=busy]:before:animate-pulse "
    "data-[tone=good]:bg-good-soft data-[tone=good]:text-good data-[tone=warning]:bg-warning-soft "
    "data-[tone=warning]:text-warning"
)
PROGRESS = "group/progress h-1.5 overflow-hidden rounded-full bg-line forced-color-adjust-none forced-colors:outline"
PROGRESS_FILL = (
    "h-full rounded-full bg-accent transition-[width] duration-300 ease-linear group-data-[tone=bad]/progress:bg-bad "
    "group-data-[tone=good]/progress:bg-good group-data-[tone=neutral]/progress:bg-muted "
    "group-data-[tone=warning]/progress:bg-warning"
)

# Controls.
FIELD = "grid min-w-0 gap-1"
INPUT = (
    "h-[34px] w-full rounded-lg border border-line-strong bg-raised px-2.5 shadow-xs placeholder:text-muted "
    "focus-visible:border-accent focus-visible:-outline-offset-1 aria-invalid:border-bad"
)
TEXTAREA = (
    "field-sizing-content max-h-80 min-h-[34px] w-full rounded-lg border border-line-strong bg-raised px-2.5 py-1.5 "
    "shadow-xs placeholder:text-muted focus-visible:border-accent focus-visible:-outline-offset-1 "
    "aria-invalid:border-bad"
)
CHECKS = "mt-1.5 grid gap-2"
CHECK = "flex min-h-6 w-fit cursor-pointer items-start gap-2"
CHECK_BOX = "mt-[3px] size-4 flex-none cursor-pointer accent-accent"
# A button or a checkbox that is on or off.
SWITCH = (
    "relative block h-6 w-9 flex-none cursor-pointer appearance-none rounded-full border border-muted bg-sunken "
    "transition-colors before:absolute before:top-[3px] before:left-[3px] before:size-4 before:rounded-full "
    "before:bg-muted before:transition-transform checked:border-accent checked:bg-accent "
    "checked:before:translate-x-3 checked:before:bg-accent-ink aria-busy:opacity-70 "
    "aria-checked:border-accent aria-checked:bg-accent aria-checked:before:translate-x-3 "
    "aria-checked:before:bg-accent-ink forced-color-adjust-none"
)
BUTTON = (
    "inline-flex cursor-pointer items-center justify-center gap-1.5 rounded-lg border font-medium whitespace-nowrap "
    "transition-colors disabled:cursor-default disabled:opacity-50 aria-busy:cursor-progress "
    "aria-disabled:cursor-default aria-disabled:opacity-50"
)
BUTTON_KINDS = {
    "": "h-[34px] border-line-strong bg-raised px-3.5 shadow-xs not-disabled:not-aria-disabled:hover:bg-sunken",
    "primary": (
        "h-[34px] border-accent bg-accent px-3.5 text-accent-ink shadow-xs "
        "not-disabled:not-aria-disabled:hover:brightness-90"
    ),
    "danger": (
        "h-[34px] border-bad bg-bad px-3.5 text-ground shadow-xs not-disabled:not-aria-disabled:hover:brightness-90"
    ),
    "quiet": "h-7 border-transparent px-2 text-accent not-disabled:not-aria-disabled:hover:bg-sunken",
    "quiet bad": (
        "h-7 border-transparent px-2 text-muted not-disabled:not-aria-disabled:hover:bg-sunken "
        "not-disabled:not-aria-disabled:hover:text-bad"
    ),
}


def button_look(kind: Any) -> Any:
    """Return the classes of a button; `kind` is one of `BUTTON_KINDS`, or a variable that holds one."""
    looks = [(name, f"{BUTTON} {classes}") for name, classes in BUTTON_KINDS.items()]
    return dict(looks)[kind] if isinstance(kind, str) else rx.match(kind, *looks, looks[0][1])
