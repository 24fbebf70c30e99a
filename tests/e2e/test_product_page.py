"""The page of one product, its history, and the undo in a message."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import text

from tests.application import Application, free_port
from tests.e2e.test_products_page import cut_waiting, database
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
SECONDS = 30_000
expect.set_options(timeout=SECONDS)
WIDTHS = (1280, 390)
HEADER = "sku,name,description,colour\n"
SHIFT = """() => new Promise(resolve => new PerformanceObserver(list => resolve(
    list.getEntries().reduce((sum, entry) => sum + entry.value, 0))).observe({type: "layout-shift", buffered: true})
    || setTimeout(() => resolve(0), 500))"""


def create(application: Application, sku: str, **fields) -> dict:
    answer = application.client.post("/api/products", json={"sku": sku, "name": f"Name of {sku}", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def read(application: Application, product: dict) -> dict:
    return application.client.get(f"/api/products/{product['id']}").json()


def imported(application: Application, rows: str, filename: str) -> str:
    job_id = application.upload((HEADER + rows).encode(), filename)
    application.finished(job_id)
    return job_id


def opened(page: Page, product: dict, width: int = 1280) -> Page:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"/products/{product['id']}")
    expect(page.get_by_test_id("product-history")).to_be_visible()
    return page


def toast(page: Page, text: str) -> Locator:
    return page.locator("[data-sonner-toast]").filter(has_text=text)


def check_with_axe(page: Page) -> None:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_tells_which_import_changed_the_name(page: Page, application: Application, width: int):
    sku = f"Tale-{width}"
    imported(application, f"{sku},Cup,Holds 0.3 l,red\n", "first.csv")
    [product] = application.client.get("/api/products", params={"sku": sku}).json()["items"]
    application.client.patch(f"/api/products/{product['id']}", json={"name": "Mug"})
    job_id = imported(application, f"{sku},Beaker,Holds 0.3 l,\n", "second.csv")
    opened(page, product, width)
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(rf"^Beaker\s+{sku}$"))
    expect(page).to_have_title(re.compile("^Beaker"))
    entries = page.get_by_test_id("history-entry")
    expect(entries).to_have_count(3)
    expect(page.get_by_test_id("product-deliveries")).to_be_visible()
    assert page.evaluate(SHIFT) < 0.05
    expect(entries.nth(0)).to_contain_text("Changed by the import of “second.csv”")
    changes = entries.nth(0).get_by_test_id("history-change")
    expect(changes).to_have_count(2)
    expect(changes.nth(0)).to_have_text(re.compile("Name.*Mug.*Beaker"))
    expect(changes.nth(1)).to_have_text(re.compile("colour.*red.*empty"))
    expect(entries.nth(1).get_by_test_id("history-change")).to_have_text(re.compile("Name.*Cup.*Mug"))
    expect(entries.nth(2)).to_contain_text("Created by the import of “first.csv”")
    expect(entries.nth(2).get_by_text("Holds 0.3 l")).to_be_hidden()
    entries.nth(2).locator("summary").press("Enter")
    expect(entries.nth(2).get_by_text("Holds 0.3 l")).to_be_visible()
    check_with_axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    application.client.post(f"/api/jobs/{job_id}/undo")
    wait_for(lambda: read(application, product)["name"] == "Mug", 30, "the undo")
    page.reload()
    expect(entries.nth(0)).to_contain_text("Restored by the undo of the import of “second.csv”")
    expect(entries.nth(0).get_by_test_id("history-change").first).to_have_text(re.compile("Name.*Beaker.*Mug"))
    expect(entries.nth(1)).to_contain_text("Changed by the import of “second.csv”")
    entries.nth(1).get_by_role("link", name="second.csv").click()
    page.wait_for_url(f"**/imports/{job_id}*")


def test_the_list_leads_to_the_page_and_a_form_changes_it(page: Page, application: Application):
    product = create(application, "Edit-1", attributes={"size": "M"})
    page.goto("/products?sku=Edit-1")
    page.get_by_test_id("product-row").get_by_role("link", name="Edit-1").click()
    page.wait_for_url(f"**/products/{product['id']}")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.get_by_test_id("product-page-attribute")).to_have_text(re.compile("size.*M"))
    page.get_by_test_id("product-edit").click()
    page.get_by_test_id("product-name").fill("By form")
    page.get_by_test_id("product-save").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("By form")
    expect(page.get_by_test_id("history-entry").first.get_by_test_id("history-change")).to_have_text(
        re.compile("Name.*Name of Edit-1.*By form")
    )
    assert read(application, product)["name"] == "By form"


def test_a_long_history_is_shown_in_parts(page: Page, application: Application):
    product = create(application, "Long-1")
    for number in range(24):
        application.client.patch(f"/api/products/{product['id']}", json={"name": f"Name {number}"})
    opened(page, product)
    entries = page.get_by_test_id("history-entry")
    expect(entries).to_have_count(20)
    expect(entries.last).to_contain_text("Name 4")
    page.get_by_test_id("history-more").click()
    expect(entries).to_have_count(25)
    expect(entries.last).to_contain_text("Created")
    expect(page.get_by_test_id("history-more")).to_have_count(0)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_deletion_is_undone_by_the_message(page: Page, application: Application, width: int):
    product = create(application, f"Back-{width}", attributes={"colour": "red"})
    opened(page, product, width).get_by_test_id("product-delete").click()
    page.get_by_test_id("confirm-delete").click()
    page.wait_for_url("**/products")
    expect(toast(page, f"Back-{width} was deleted.")).to_be_visible()
    # It stays while the pointer is over it.
    toast(page, f"Back-{width} was deleted.").hover()
    check_with_axe(page)
    assert application.client.get(f"/api/products/{product['id']}").status_code == 404
    # Alt+T leads to the messages; the first stop there is the message, the second its button.
    page.keyboard.press("Alt+t")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(toast(page, "was deleted").get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(toast(page, f"Back-{width} is back.")).to_be_visible()
    expect(page.get_by_test_id("product-row").filter(has_text=f"Back-{width}")).to_have_count(1)
    again = read(application, product)
    assert again == {**product, "version": 2, "updated_at": again["updated_at"]}
    opened(page, product, width)
    entries = page.get_by_test_id("history-entry")
    expect(entries).to_have_count(3)
    kinds = [entry.get_attribute("data-kind") for entry in entries.all()]
    assert kinds == ["restored", "deleted", "created"]


def test_each_of_several_deletions_is_undone_by_its_own_message(page: Page, application: Application):
    products = [create(application, f"Several-{number}") for number in range(3)]
    page.goto("/products?sku=Several-")
    for number in range(3):
        row = page.get_by_test_id("product-row").filter(has_text=f"Several-{number}")
        row.get_by_test_id("product-delete").click()
        page.get_by_test_id("confirm-delete").click()
        # The messages stay while the pointer is over them.
        toast(page, f"Several-{number} was deleted.").hover()
        expect(row).to_have_count(0)
    toast(page, "Several-0 was deleted.").get_by_role("button", name="Undo").click()
    expect(page.get_by_test_id("product-row")).to_have_count(1)
    expect(page.get_by_test_id("product-row")).to_contain_text("Several-0")
    toast(page, "Several-2 was deleted.").get_by_role("button", name="Undo").click()
    expect(page.get_by_test_id("product-row")).to_have_count(2)
    assert [application.client.get(f"/api/products/{one['id']}").status_code for one in products] == [200, 404, 200]


def test_a_deletion_is_not_undone_when_the_sku_is_taken(page: Page, application: Application):
    product = create(application, "Taken-again")
    page.goto("/products?sku=Taken-again")
    page.get_by_test_id("product-delete").click()
    page.get_by_test_id("confirm-delete").click()
    expect(toast(page, "was deleted")).to_be_visible()
    create(application, "TAKEN-AGAIN")
    toast(page, "was deleted").get_by_role("button", name="Undo").click()
    expect(toast(page, "Taken-again was not restored.")).to_contain_text("The SKU “Taken-again” is taken")
    assert application.client.get(f"/api/products/{product['id']}").status_code == 404


@pytest.mark.parametrize(
    "sku", ["<reflex.Var>1</reflex.Var>", '"); window.ran = 1; ("', "${window.ran = 1}`", "'}]); window.ran = 1; //"]
)
def test_the_undo_of_a_product_with_a_script_as_its_name_runs_nothing_else(
    page: Page, application: Application, sku: str
):
    product = create(application, f"{sku} undo", name=sku)
    opened(page, product).get_by_test_id("product-delete").click()
    page.get_by_test_id("confirm-delete").click()
    toast(page, f"{sku} undo was deleted.").get_by_role("button", name="Undo").click()
    expect(toast(page, f"{sku} undo is back.")).to_be_visible()
    assert page.evaluate("() => window.ran") is None
    assert read(application, product)["version"] == 2


def test_a_switch_is_undone_by_the_message_on_the_page_and_in_the_list(page: Page, application: Application):
    product = create(application, "Turn-1")
    opened(page, product)
    switch = page.get_by_test_id("product-page-active")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(page.get_by_test_id("history-change")).to_have_text(re.compile("Active.*Yes.*No"))
    toast(page, "Turn-1 is inactive.").get_by_role("button", name="Undo").click()
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(toast(page, "Turn-1 is active again.")).to_be_visible()
    assert read(application, product)["active"] is True
    # It is undone also where the list does not show it any more.
    page.goto("/products?sku=Turn-1&active=true")
    page.get_by_test_id("product-row").get_by_role("switch").click()
    expect(toast(page, "Turn-1 is inactive.")).to_be_visible()
    page.get_by_test_id("filter-sku").fill("nothing has this")
    expect(page.get_by_text("No product matches")).to_be_visible()
    toast(page, "Turn-1 is inactive.").get_by_role("button", name="Undo").click()
    expect(toast(page, "Turn-1 is active again.")).to_be_visible()
    assert read(application, product)["active"] is True


def test_a_switch_that_somebody_else_has_turned_offers_no_undo_of_it(page: Page, application: Application):
    product = create(application, "Turn-2")
    opened(page, product)
    switch = page.get_by_test_id("product-page-active")
    with database(application) as connection:
        connection.execute(text("UPDATE product SET active = false, version = 2 WHERE sku = 'Turn-2'"))
        switch.click()
        expect(switch).to_have_attribute("aria-busy", "true")
        connection.commit()
    expect(toast(page, "The change was not saved.")).to_contain_text("The product was changed meanwhile")
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(page.get_by_test_id("product-fields")).to_contain_text("version 2")
    assert page.get_by_role("button", name="Undo").count() == 0


@pytest.mark.parametrize("address", ["01a225be-0000-7000-8000-000000000000", "no-id", "%22%3E"])
def test_a_product_that_does_not_exist_is_said_to(page: Page, application: Application, address: str):
    page.goto(f"/products/{address}")
    expect(page.get_by_test_id("product-missing")).to_contain_text("There is no such product")
    page.get_by_role("link", name="All products").click()
    expect(page.get_by_test_id("products-total")).to_be_visible()


def test_a_deleted_product_still_shows_its_history(page: Page, application: Application):
    product = create(application, "Former-1")
    application.client.delete(f"/api/products/{product['id']}")
    opened(page, product)
    expect(page.get_by_text("This product was deleted")).to_be_visible()
    expect(page.get_by_test_id("history-entry").first).to_contain_text("Deleted")
    check_with_axe(page)


def test_the_deliveries_of_a_product_are_listed(page: Page, application: Application):
    # Nobody answers there.
    hook = application.client.post("/api/webhooks", json={"url": f"http://127.0.0.1:{free_port()}/hook"}).json()
    product = create(application, "Sent-1")
    deliveries = f"/api/webhooks/{hook['id']}/deliveries"

    # Events of other products may come, too.
    def is_delivered() -> bool:
        found = application.client.get(deliveries).json()["items"]
        return any(product["id"] in application.client.get(f"{deliveries}/{one['id']}").text for one in found)

    wait_for(is_delivered, 30, "the delivery")
    opened(page, product)
    # Webhooks of other tests may get the event, too.
    delivery = (
        page.get_by_test_id("product-deliveries").get_by_test_id("product-delivery").filter(has_text=hook["url"])
    )
    expect(delivery).to_have_count(1)
    expect(delivery).to_contain_text("Product created")
    check_with_axe(page)
    delivery.get_by_role("link", name=hook["url"]).click()
    page.wait_for_url(f"**/webhooks/{hook['id']}")
    application.client.delete(f"/api/webhooks/{hook['id']}")


def test_deliveries_that_an_outage_kept_away_are_shown_on_trying_again(page: Page, application: Application):
    product, problem = create(application, "Cut-off-1"), page.get_by_test_id("product-deliveries-problem")
    with database(application) as connection:
        connection.execute(text("LOCK TABLE webhook_delivery IN ACCESS EXCLUSIVE MODE"))
        page.goto(f"/products/{product['id']}")
        wait_for(lambda: (cut_waiting(connection), problem.count())[1], 30, "the outage is shown")
    problem.get_by_role("button", name="Try again").click()
    expect(page.get_by_test_id("product-deliveries")).to_be_visible()
    expect(problem).to_have_count(0)
