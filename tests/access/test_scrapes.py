"""Prometheus reaches a web process by the address of its machine, which no setting can name beforehand."""

import pytest

from product_importer.access.schemas import Role
from tests.access.people import add_person, add_token, bearer, cookie

# An address of a pod.
URL = "http://10.244.1.7:3000"


def test_a_token_reads_the_metrics_under_any_host(open_api):
    answer = open_api(URL).get("/metrics", headers=bearer(add_token(add_person(Role.VIEWER), "read")))
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/plain")
    assert "product_importer_up" in answer.text


@pytest.mark.parametrize("path", ["/api/products", "/metrics/", "/metricsx", "/METRICS", "/sign-in", "/"])
def test_it_reads_nothing_else_there(open_api, path):
    answer = open_api(URL).get(path, headers=bearer(add_token(add_person(Role.ADMIN), "read", "admin")))
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/problems/host-not-allowed")


def test_a_page_that_is_rebound_to_us_reads_no_metrics(open_api):
    """It has neither a token nor the cookies of our own name; if it had these, they would not count."""
    client = open_api("http://evil.example")
    cases = {400: [{}, cookie(add_person(Role.ADMIN))], 401: [bearer("pi_guessed"), bearer("")]}
    for status, headers in ((status, each) for status, given in cases.items() for each in given):
        assert client.get("/metrics", headers=headers).status_code == status
    both = cookie(add_person(Role.ADMIN)) | bearer("pi_guessed")
    assert client.get("/metrics", headers=both).status_code == 401


def test_where_nobody_signs_in_a_token_opens_no_host(open_api):
    """There it would not be checked."""
    token = bearer(add_token(add_person(Role.ADMIN), "read"))
    assert open_api("http://evil.example", AUTH="off").get("/metrics", headers=token).status_code == 400
    assert open_api("http://localhost", AUTH="off").get("/metrics", headers=token).status_code == 200


def test_the_token_needs_the_scope(open_api):
    token = bearer(add_token(add_person(Role.ADMIN), "write"))
    assert open_api(URL).get("/metrics", headers=token).status_code == 403
