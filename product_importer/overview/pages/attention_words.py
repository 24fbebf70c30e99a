"""The words for what needs attention, and the address at which it is solved."""

from dataclasses import dataclass
from typing import Self

from product_importer.imports.pages.result_words import counted
from product_importer.overview.attention import DAYS, MAX_COUNTED, MAX_NAMED, Item, Need
from product_importer.ui import routes

TONES = {
    Need.NO_WORKER: "bad",
    Need.FAILED_IMPORT: "bad",
    Need.DISABLED_WEBHOOK: "bad",
    Need.INDEX_BEHIND: "neutral",
}
LATELY = f"in the last {DAYS} days"
IMPORT_WORKER = "Imports wait until one runs: product-importer worker."
WEBHOOK_WORKER = "Deliveries wait until one runs: product-importer worker --queue webhooks."
INDEX = "The text index has yet to take in {} changed products. It catches up by itself."


@dataclass(frozen=True)
class ItemView:
    """One thing that needs attention. `since` is a time, or empty; `action` is the text of the link."""

    key: str = ""
    tone: str = "warning"
    title: str = ""
    detail: str = ""
    since: str = ""
    action: str = ""
    address: str = ""

    @classmethod
    def of(cls, item: Item) -> Self:
        """Return `item` as the page shows it."""
        title, detail, action, address = _rest(item) if item.is_rest else _one(item)
        return cls(
            f"{item.need} {item.id or item.is_rest}",
            TONES.get(item.need, "warning"),
            title,
            detail,
            item.since.isoformat() if item.since else "",
            action,
            address,
        )


def _one(item: Item) -> tuple[str, str, str, str]:
    """Return title, detail, and the link's text and address."""
    job, webhook = f"{routes.IMPORTS}/{item.id}", f"{routes.WEBHOOKS}/{item.id}"
    match item.need:
        case Need.NO_WORKER:
            return "No import worker is running", IMPORT_WORKER, "See the imports", routes.IMPORTS
        case Need.NO_WEBHOOK_WORKER:
            return "No webhook worker is running", WEBHOOK_WORKER, "See the webhooks", routes.WEBHOOKS
        case Need.FAILED_IMPORT if item.is_action:
            return f"The action “{item.name}” failed", item.detail, "See the action", job
        case Need.FAILED_IMPORT:
            return f"The import of {item.name} failed", item.detail, "See the import", job
        case Need.REJECTED_ROWS:
            waiting = f"{counted(item.number, 'row')} of {item.name} {'was' if item.number == 1 else 'were'} rejected"
            return waiting, "They can be corrected and imported again.", "See the rows", job
        case Need.DISABLED_WEBHOOK:
            return f"The webhook {item.name} is disabled", item.detail, "See the webhook", webhook
        case Need.FAILING_WEBHOOK:
            return f"Deliveries to {item.name} fail", _retrying(item.number), "See the deliveries", webhook
        case Need.INDEX_BEHIND:
            return "Searches are slower for now", INDEX.format(f"{item.number:,}"), "", ""


def _rest(item: Item) -> tuple[str, str, str, str]:
    # Not all are counted.
    more = f"{item.number:,}{' or' if item.number + MAX_NAMED >= MAX_COUNTED else ''} more"
    match item.need:
        case Need.FAILED_IMPORT:
            return f"{more} imports or actions failed {LATELY}", "", "See them all", f"{routes.IMPORTS}?status=failed"
        case Need.REJECTED_ROWS:
            waiting = f"{more} imports {LATELY} have rejected rows"
            return waiting, "", "See them all", f"{routes.IMPORTS}?status=completed"
        case Need.DISABLED_WEBHOOK:
            return f"{more} webhooks are disabled", "", "See them all", routes.WEBHOOKS
        case _:
            return f"Deliveries to {more} webhooks fail", "", "See them all", routes.WEBHOOKS


def _retrying(number: int) -> str:
    if not number:
        return "None of them waits for another attempt."
    more = " or more" if number >= MAX_COUNTED else ""
    verb = "is" if number == 1 else "are"
    return f"{number:,}{more} {'delivery' if number == 1 else 'deliveries'} {verb} tried again."
