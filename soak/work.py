"""What people do with their shelf: imports of every kind, edits, and actions on many products."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from product_importer.catalog.schemas import sku_key
from soak.shelf import Shelf
from tests.faults.oracle import Oracle, Product

ROWS = (400, 4_000)
MANY_ROWS = (5_000, 9_000)
# A shelf with more products is thinned out, so that the catalogue stays as large as it is.
MAX_PRODUCTS = 9_000
EDITS = 5
DIGITS = "0123456789abcdef"
ATTRIBUTE = "season"


def import_file(shelf: Shelf) -> None:
    """Import new, changed, unchanged, repeated and wrong rows."""
    file = shelf.write(shelf.random.randint(*ROWS))
    outcome = shelf.oracle.take(file)
    shelf.expect_counts(shelf.ended(shelf.upload(file)), outcome, file.total)
    shelf.ledger.expect("import_completed")


def dry_run(shelf: Shelf) -> None:
    """Let a dry run say what a file would change; apply it half of the time."""
    file = shelf.write(shelf.random.randint(*ROWS))
    with shelf.as_before():
        outcome = shelf.oracle.take(file)
    job_id = shelf.upload(file, dry_run="true")
    shelf.expect_counts(shelf.ended(job_id), outcome, file.total, "previewed")
    if shelf.random.random() < 0.5:
        shelf.command(job_id, "apply")
        job = shelf.until(job_id, lambda job: job["status"] in ("completed", "failed", "cancelled"))
        shelf.expect_counts(job, shelf.oracle.take(file), file.total)
        shelf.ledger.expect("import_completed")


def undo(shelf: Shelf) -> None:
    """Import a file, and undo the import: everything is as it was."""
    with shelf.as_before():
        file = shelf.write(shelf.random.randint(*ROWS))
        outcome = shelf.oracle.take(file)
        job_id = shelf.upload(file)
        shelf.expect_counts(shelf.ended(job_id), outcome, file.total)
        shelf.ledger.expect("import_completed")
        expect_undo(shelf, job_id, removed=outcome.counts["created"], restored=outcome.counts["updated"])


def expect_undo(shelf: Shelf, job_id: str, removed: int, restored: int) -> None:
    """Undo a job and check the undo's counts."""
    shelf.command(job_id, "undo")
    done = shelf.until(job_id, lambda job: (job["undo"] or {}).get("status") == "undone")["undo"]
    found = (done["removed"], done["restored"], done["kept"])
    shelf.ledger.check(found == (removed, restored, 0), f"{shelf.name}: undone {found}, not {(removed, restored, 0)}")


def cancel(shelf: Shelf) -> None:
    """Cancel an import somewhere, and retry it: it counts each row once all the same."""
    file = shelf.write(shelf.random.randint(*MANY_ROWS))
    outcome = shelf.oracle.take(file)
    job_id = shelf.upload(file)
    percent = shelf.random.uniform(0, 80)
    shelf.until(job_id, lambda job: job["percent"] >= percent or job["status"] == "completed")
    shelf.command(job_id, "cancel")
    if shelf.ended(job_id)["status"] == "cancelled":
        shelf.ledger.note("retry")
        shelf.command(job_id, "retry")
    shelf.expect_counts(shelf.until(job_id, lambda job: job["status"] == "completed"), outcome, file.total)
    shelf.ledger.expect("import_completed")


def edit(shelf: Shelf) -> None:
    """Change a few products by hand, delete one, and create one."""
    keys = sorted(shelf.oracle.products)
    for key in shelf.random.sample(keys, min(EDITS, len(keys))):
        values = {"name": f"Edited {shelf.random.randrange(10**9)}", "active": shelf.random.random() < 0.9}
        shelf.must(shelf.client.send("PATCH", f"/api/products/{find(shelf, key)}", json=values), 200)
        shelf.oracle.products[key] = replace(shelf.oracle.products[key], **values)  # type: ignore[arg-type]
        shelf.ledger.expect("product_updated")
    if keys:
        delete(shelf, shelf.random.choice(keys))
    create(shelf)


def delete(shelf: Shelf, key: str) -> None:
    answer = shelf.client.send("DELETE", f"/api/products/{find(shelf, key)}")
    shelf.must(answer, 204, *([404] if answer.repeated else []))
    del shelf.oracle.products[key]
    shelf.ledger.expect("product_deleted")


def create(shelf: Shelf) -> None:
    sku = f"{shelf.name}-{shelf.random.getrandbits(40):011x}"
    answer = shelf.client.send("POST", "/api/products", json={"sku": sku, "name": "By hand", "description": "New"})
    shelf.must(answer, 201, *([409] if answer.repeated else []))
    shelf.oracle.products[sku_key(sku)] = Product(sku, "By hand", "New", True, {})
    shelf.ledger.expect("product_created")


def find(shelf: Shelf, key: str) -> str:
    """Return the id of a product by its SKU, as the list finds it."""
    held = shelf.oracle.products[key]
    items = shelf.client.get("/api/products", params={"sku": held.sku})["items"]
    [found] = [item["id"] for item in items if sku_key(item["sku"]) == key]
    return str(found)


def act(shelf: Shelf) -> None:
    """Change a sixteenth of the shelf at once; undo it half of the time."""
    digit = shelf.random.choice(DIGITS)
    keys, before = shelf.of(digit), dict(shelf.oracle.products)
    change, body = a_change(shelf)
    shelf.oracle.products |= {key: change(before[key]) for key in keys}
    changed = [key for key in keys if shelf.oracle.products[key] != before[key]]
    job_id, is_sure = run_action(shelf, digit, body, len(keys), {"updated": len(changed)})
    shelf.ledger.expect("import_completed")
    if is_sure and changed and shelf.random.random() < 0.5:
        expect_undo(shelf, job_id, removed=0, restored=len(changed))
        shelf.oracle = Oracle(before)


def a_change(shelf: Shelf) -> tuple[Callable[[Product], Product], dict[str, Any]]:
    """Return any change of many products, for the oracle and for a request."""
    kind = shelf.random.choice(("activate", "deactivate", "set"))
    if kind == "set":
        value = shelf.random.choice(("spring", "autumn", ""))
        body = {"action": "set", "values": {"attributes": {ATTRIBUTE: value}}}
        return lambda product: with_season(product, value), body
    return lambda product: replace(product, active=kind == "activate"), {"action": kind}


def with_season(product: Product, value: str) -> Product:
    kept = {name: text for name, text in product.attributes.items() if name != ATTRIBUTE}
    return replace(product, attributes=kept | ({ATTRIBUTE: value} if value else {}))


def thin_out(shelf: Shelf) -> None:
    """Delete a sixteenth of a shelf at once, as often as it has too many products."""
    digits = list(DIGITS)
    shelf.random.shuffle(digits)
    while len(shelf.oracle.products) > MAX_PRODUCTS and digits:
        digit = digits.pop()
        keys = shelf.of(digit)
        if not keys:
            continue
        run_action(shelf, digit, {"action": "delete"}, len(keys), {"deleted": len(keys)})
        shelf.ledger.expect("products_deleted")
        for key in keys:
            del shelf.oracle.products[key]


def run_action(
    shelf: Shelf, digit: str, body: dict[str, Any], total: int, written: dict[str, int]
) -> tuple[str, bool]:
    """Run an action, and check its counts; return its id, and whether it is sure that it ran only once."""
    [(count, changed)] = written.items()
    where = {"sku": shelf.beginning(digit)}
    answer = shelf.client.send("POST", "/api/products/actions", params=where, json=body)
    job = shelf.ended(shelf.must(answer, 202)["job_id"])
    found = (job["status"], job["total_rows"], job[count], job["unchanged"])
    expected = ("completed", total, changed, total - changed)
    if answer.repeated:
        # There may be two of them, and the second one finds everything changed already.
        shelf.wait_until_alone(where["sku"])
        shelf.ledger.doubt("products_deleted" if count == "deleted" else "import_completed")
    else:
        shelf.ledger.check(found == expected, f"{shelf.name}: {body} counted {found}, not {expected}")
    return job["id"], not answer.repeated


WORK: dict[Callable[[Shelf], None], int] = {import_file: 5, dry_run: 3, undo: 3, cancel: 2, edit: 6, act: 3}
