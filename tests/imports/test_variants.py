"""Exports of shops with variants and images, by REST: rejected, filled from the product above, or left out."""

import csv
import io
import json

import pytest

from product_importer.imports import tasks
from product_importer.imports.parsing.csv import reader
from tests.imports.conftest import execute
from tests.imports.shop_export import COLUMNS as SHOP_COLUMNS
from tests.imports.shop_export import FURTHER, PRODUCTS, shop_export

MAPPING = {"Variant SKU": "sku", "Title": "name", "Body (HTML)": "description", "Published": "active"}
SUM = ("created", "updated", "unchanged", "duplicates", "rejected")


def post(client, content: bytes, columns: dict[str, str] | None = None, **options: str) -> str:
    data = options | ({"columns": json.dumps(columns)} if columns else {})
    answer = client.post("/api/upload-csv", files={"file": ("products_export.csv", content)}, data=data)
    assert answer.status_code == 202, answer.text
    tasks.run_import(answer.json()["job_id"])
    return answer.json()["job_id"]


def imported(client, content: bytes, columns: dict[str, str] | None = None, **options: str) -> dict:
    job = client.get(f"/api/jobs/{post(client, content, columns, **options)}").json()
    assert (job["status"], job["error"]) == ("completed", None)
    assert sum(job[name] for name in SUM) == job["total_rows"]
    return job


def warnings(job: dict) -> dict[str, tuple[int, int]]:
    return {one["code"]: (one["count"], one["first_line"]) for one in job["warnings"]}


def products(client) -> dict[str, dict]:
    items = client.get("/api/products", params={"page_size": 100}).json()["items"]
    return {item["sku"]: item for item in items}


def shopify(variants: int, images: int, published: str = "true") -> bytes:
    """Return an export of two products; the first has variants, and images in rows of their own."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, SHOP_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    own = {"Title": "Shirt", "Body (HTML)": "<p>Soft</p>", "Vendor": "Salt", "Published": published}
    for number in range(variants):
        row = {"Handle": "shirt", "Option1 Value": f"{number}", "Variant SKU": f"SH-{number}"}
        writer.writerow(row | ({} if number else own))
    writer.writerows(
        {"Handle": "shirt", "Image Src": f"https://shop.example/{number}.jpg"} for number in range(images)
    )
    writer.writerow({"Handle": "mug", "Title": "Mug", "Variant SKU": "MUG", "Published": "true"})
    return text.getvalue().encode()


def test_each_of_forty_variants_becomes_a_product(client):
    job = imported(client, shopify(40, 3, published="false"), MAPPING, continuation="fill")
    assert (job["total_rows"], job["created"], job["rejected"]) == (41, 41, 0)
    assert warnings(job) == {"filled_down": (39, 3), "skipped_continuation": (3, 42)}
    assert job["choices"]["continuation"] == "fill"
    found = products(client)
    assert len(found) == 41
    for number in range(40):
        product = found[f"SH-{number}"]
        assert (product["name"], product["description"], product["active"]) == ("Shirt", "<p>Soft</p>", False)
        assert product["attributes"]["Option1 Value"] == str(number)
        # Only the name, the description and the state are those of the product above.
        assert product["attributes"].get("Vendor") == (None if number else "Salt")
    again = imported(client, shopify(40, 3, published="false"), continuation="fill")
    assert (again["unchanged"], warnings(again)) == (41, warnings(job))


def test_rows_that_are_left_out_are_in_no_count(client):
    job = imported(client, shopify(4, 2), MAPPING, continuation="skip")
    assert (job["total_rows"], job["processed_rows"], job["created"], job["rejected"]) == (2, 2, 2, 0)
    assert warnings(job) == {"skipped_continuation": (5, 3)}
    assert client.get(f"/api/jobs/{job['id']}/rejects").text.count("\n") == 1


def test_they_are_rejected_unless_chosen_otherwise(client):
    job = imported(client, shopify(4, 2), MAPPING)
    assert (job["total_rows"], job["created"], job["rejected"], warnings(job)) == (7, 2, 5, {})
    assert job["choices"]["continuation"] == "reject"


def test_variants_without_skus_of_their_own_are_left_out(client):
    """Their handle is the SKU; filled, they would replace the product's own row."""
    columns = {"Handle": "sku", "Title": "name", "Body (HTML)": "description"}
    job = imported(client, shop_export(), columns, continuation="fill")
    assert (job["created"], job["total_rows"]) == (len(PRODUCTS), len(PRODUCTS))
    assert warnings(job) == {"skipped_continuation": (sum(map(len, FURTHER.values())), 8)}


@pytest.mark.parametrize("characters", [200, 1_000])
def test_variants_are_filled_across_blocks(client, monkeypatch, characters):
    """Also where a block begins within a product, and a broken record leaves the rest to the slower reader."""
    monkeypatch.setattr(reader, "BLOCK_CHARACTERS", characters)
    rows = [f"p{n // 5},{'' if n % 5 else f'Name {n // 5}'},{'' if n % 5 else f'd{n // 5}'},S{n}" for n in range(400)]
    rows.insert(200, 'x,"y" z,,')
    content = "\n".join(["Handle,name,description,sku", *rows]).encode()
    job = imported(client, content, continuation="fill")
    assert (job["created"], job["rejected"], job["total_rows"]) == (400, 1, 401)
    assert warnings(job)["filled_down"][0] == 320
    found = client.get("/api/products", params={"q": "S399"}).json()["items"]
    assert [(item["name"], item["description"]) for item in found] == [("Name 79", "d79")]


def test_with_kept_blanks_a_filled_row_changes_the_name(client):
    execute("INSERT INTO product (id, sku, sku_key, name, description) "
            "VALUES (gen_random_uuid(), 'SH-1', 'sh-1', 'Old', 'Kept')")  # fmt: skip
    content = b"Handle,name,description,sku\nshirt,Shirt,,SH-0\nshirt,,,SH-1\nshirt,,,\n"
    job = imported(client, content, continuation="fill", blank="keep")
    assert (job["created"], job["updated"], job["total_rows"]) == (1, 1, 2)
    assert {sku: (item["name"], item["description"]) for sku, item in products(client).items()} == {
        "SH-0": ("Shirt", ""),
        "SH-1": ("Shirt", "Kept"),
    }


def test_a_dry_run_fills_and_is_applied_as_it_was_shown(client):
    job_id = post(client, shopify(3, 1), MAPPING, continuation="fill", dry_run="true")
    job = client.get(f"/api/jobs/{job_id}").json()
    assert (job["status"], job["created"]) == ("previewed", 4)
    shown = client.get(f"/api/jobs/{job_id}/changes").json()["items"]
    assert {change["sku"] for change in shown} == {"SH-0", "SH-1", "SH-2", "MUG"}
    assert client.post(f"/api/jobs/{job_id}/apply").status_code == 202
    tasks.run_import(job_id)
    applied = client.get(f"/api/jobs/{job_id}").json()
    assert (applied["status"], applied["created"], warnings(applied)) == ("completed", 4, warnings(job))
    assert {item["name"] for item in products(client).values()} == {"Shirt", "Mug"}


def test_variations_of_another_shop_system_have_names_and_are_products(client):
    content = (
        b"ID,Type,SKU,Name,Published,Description,Parent,Attribute 1 value(s)\n"
        b"10,variable,TEE,Tee,1,Soft,,\n"
        b'11,variation,TEE-R,"Tee - Red",1,,id:10,Red\n'
        b'12,variation,TEE-B,"Tee - Blue",0,,TEE,Blue\n'
    )
    job = imported(client, content, continuation="fill")
    assert (job["created"], warnings(job)) == (3, {})
    assert {sku: item["name"] for sku, item in products(client).items()} == {
        "TEE": "Tee",
        "TEE-R": "Tee - Red",
        "TEE-B": "Tee - Blue",
    }


def test_an_unknown_word_for_the_option_is_rejected(client):
    files = {"file": ("a.csv", b"sku,name,description\n")}
    answer = client.post("/api/upload-csv", files=files, data={"continuation": "merge"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "continuation")
