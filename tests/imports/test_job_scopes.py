"""What tokens of each scope may do with jobs: imports need `import`, actions on products `write`."""

from uuid import UUID

import pytest

from product_importer.access.schemas import Role
from product_importer.imports.progress import current
from product_importer.imports.tasks import run_import, run_undo
from tests.access.conftest import guarded, open_api
from tests.access.people import add_person, add_token, bearer
from tests.imports.conftest import upload

__all__ = ["guarded", "open_api"]
FILE = b"sku,name,description\na,Apple,x\n"


@pytest.fixture
def token():
    person = add_person(Role.EDITOR)
    return {scope: bearer(add_token(person, scope)) for scope in ("read", "import", "write")}


def start(guarded, token) -> str:
    answer = guarded.post("/api/products/actions?sku=a", json={"action": "delete"}, headers=token["write"])
    assert answer.status_code == 202, answer.text
    return answer.json()["job_id"]


def outcomes(guarded, token, method: str, path: str) -> dict[str, int]:
    return {scope: guarded.request(method, path, headers=headers).status_code for scope, headers in token.items()}


def test_who_may_write_goes_on_with_an_action_and_who_may_import_does_not(guarded, token):
    run_import(str(upload(FILE)))
    job = start(guarded, token)
    for what in ("cancel", "retry"):
        for scope in ("read", "import"):
            refused = guarded.post(f"/api/jobs/{job}/{what}", headers=token[scope])
            assert refused.status_code == 403 and "“write”" in refused.json()["detail"]
        assert guarded.post(f"/api/jobs/{job}/{what}", headers=token["write"]).status_code == 202
    run_import(job)
    assert current(UUID(job)).deleted == 1
    assert outcomes(guarded, token, "POST", f"/api/jobs/{job}/undo") == {"read": 403, "import": 403, "write": 202}
    run_undo(job)
    for path in (f"/api/jobs/{job}", f"/api/jobs/{job}/kept", f"/api/jobs/{job}/events"):
        assert outcomes(guarded, token, "GET", path) == dict.fromkeys(token, 200)


def test_who_may_only_write_gets_nothing_of_imports(guarded, token):
    job = upload(FILE)
    for what in ("cancel", "retry", "undo"):
        refused = guarded.post(f"/api/jobs/{job}/{what}", headers=token["write"])
        assert refused.status_code == 403 and "“import”" in refused.json()["detail"]
    for path in ("", "/kept", "/events"):
        assert guarded.get(f"/api/jobs/{job}{path}", headers=token["write"]).status_code == 403
    assert outcomes(guarded, token, "GET", f"/api/jobs/{job}") == {"read": 200, "import": 200, "write": 403}
    assert outcomes(guarded, token, "POST", f"/api/jobs/{job}/cancel") == {"read": 403, "import": 202, "write": 403}
