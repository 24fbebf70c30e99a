"""The history of a product by REST."""

import pytest

from tests.catalog.conftest import problem


def test_the_history_of_a_product_is_a_list_like_others(client, create):
    product = create(sku="A", name="Cup", attributes={"colour": "red"})
    client.patch(f"/api/products/{product['id']}", json={"name": "Mug"})
    answer = client.get(f"/api/products/{product['id']}/history", params={"page_size": 1}).json()
    changed = client.get(f"/api/products/{product['id']}").json()["updated_at"]
    assert answer == {
        "items": [
            {
                "at": changed,
                "kind": "updated",
                "version": 2,
                "by": None,
                "job_id": None,
                "filename": None,
                "action": None,
                "changes": [{"field": "name", "before": "Cup", "after": "Mug"}],
            }
        ],
        "total": 2,
        "total_is_exact": True,
        "page": 1,
        "page_size": 1,
        "pages": 2,
    }
    beyond = client.get(f"/api/products/{product['id']}/history", params={"page": 3})
    assert (beyond.status_code, beyond.json()["items"], beyond.json()["total"]) == (200, [], 2)


def test_an_import_is_named_with_its_id_and_file(client, run_import):
    job = run_import("sku,name,description\nA,Cup,x\n", "cups.csv")
    [product] = client.get("/api/products").json()["items"]
    [entry] = client.get(f"/api/products/{product['id']}/history").json()["items"]
    told = {name: entry[name] for name in ("job_id", "filename", "action", "by")}
    assert told == {"job_id": str(job.id), "filename": "cups.csv", "action": None, "by": None}


@pytest.mark.parametrize("id", ["01a225be-0000-7000-8000-000000000000", "0" * 32, "f" * 32])
def test_a_product_of_which_nothing_is_known_is_not_found(client, id: str):
    problem(client.get(f"/api/products/{id}/history"), 404, "not-found")


@pytest.mark.parametrize("id", ["1", "..", "%00", "x' OR 1=1 --", "０" * 32])
def test_what_is_no_id_is_not_found(client, id: str):
    assert client.get(f"/api/products/{id}/history").status_code == 404


def test_an_unknown_parameter_is_refused(client, create):
    product = create()
    found = problem(client.get(f"/api/products/{product['id']}/history?pages=2"), 422, "invalid-fields")
    assert found["errors"][0]["field"] == "pages"
    problem(client.get(f"/api/products/{product['id']}/history?page=0"), 422, "invalid-fields")
