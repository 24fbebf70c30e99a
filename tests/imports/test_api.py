"""The REST API of imports."""

import json
import re
from uuid import UUID

import pytest

from product_importer.core import db, queue
from product_importer.core.ids import new_id
from product_importer.core.storage import storage
from product_importer.imports import tasks
from product_importer.imports.service import RUN_IMPORT
from tests.imports.parsing.compound_file import compound_file

GOOD = b"\xef\xbb\xbfDescription,SKU,name,colour\nc,a,b,red\n"
FIELDS = {
    "id", "filename", "size_bytes", "sha256", "status", "phase", "percent", "eta_seconds", "rows_per_second",
    "total_rows", "processed_rows", "created", "updated", "unchanged", "duplicates", "rejected", "error",
    "created_at", "started_at", "finished_at",
}  # fmt: skip


def post(client, content: bytes, filename: str = "catalogue.csv"):
    return client.post("/api/upload-csv", files={"file": (filename, content, "text/csv")})


def nothing_is_left() -> bool:
    with db.engine().connect() as connection:
        jobs = connection.exec_driver_sql("SELECT count(*) FROM import_job").scalar()
    return jobs == 0 and list(storage().keys()) == [] and queue.waiting_keys(RUN_IMPORT) == set()


def test_a_good_file_is_accepted_and_queued(client):
    answer = post(client, GOOD)
    assert answer.status_code == 202
    job_id = answer.json()["job_id"]
    assert answer.json() == {"job_id": job_id, "status": "pending"}
    assert answer.headers["location"] == f"/api/jobs/{job_id}"
    assert queue.waiting_keys(RUN_IMPORT) == {job_id}
    assert client.get(answer.headers["location"]).json()["filename"] == "catalogue.csv"


def test_an_import_has_every_field_of_the_contract(client):
    job_id = post(client, GOOD).json()["job_id"]
    job = client.get(f"/api/jobs/{job_id}").json()
    assert job.keys() >= FIELDS
    assert (job["status"], job["total_rows"], job["error"], job["started_at"]) == ("pending", None, None, None)
    tasks.run_import(job_id)
    job = client.get(f"/api/jobs/{job_id}").json()
    assert (job["status"], job["percent"], job["processed_rows"], job["created"]) == ("completed", 100.0, 1, 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", job["created_at"])


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"", "empty-file", "no first line"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not-csv", "a picture"),
        (b"<html><body><table><tr><th>sku</th></tr></table>", "not-csv", "a web page (HTML)"),
        (b'<?xml version="1.0"?>\n<rss version="2.0"></rss>', "not-csv", "an XML document"),
        (b"{\\rtf1 sku}", "not-csv", "a text document (RTF)"),
        (compound_file(["EncryptionInfo", "EncryptedPackage"]), "not-csv", "with a password"),
        (compound_file(["Workbook"]), "not-csv", "an old Excel workbook"),
        (b"catalogue.csv\n", "not-csv", "-F file=@catalogue.csv"),
        ("sku,name,description\nä,b,c\n".encode() + b"\xff,b,c\n", "not-text", "form field “encoding”"),
        (b"sku,price\n1,2\n", "invalid-csv-header", "Missing columns: name, description."),
    ],
)
def test_a_bad_file_is_a_clear_400_and_nothing_is_left(client, content, kind, words):
    answer = post(client, content)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"].endswith(f"/{kind}")
    assert (problem["status"], words in problem["detail"]) == (400, True)
    assert nothing_is_left()


def test_a_missing_column_is_named(client):
    problem = post(client, b"SKU,Product Name,description\n").json()
    assert problem["missing"] == ["name"]
    assert problem["found"] == ["SKU", "Product Name", "description"]
    assert problem["suggestions"] == {"name": "Product Name"}


def test_a_file_over_the_limit_is_413(client, monkeypatch):
    from product_importer.core.settings import settings

    monkeypatch.setattr(settings(), "max_upload_mb", 1)
    answer = post(client, GOOD + b"x" * 2_000_000)
    assert answer.status_code == 413
    # The rest is not read, so the connection cannot be used for another request.
    assert answer.headers["connection"] == "close"
    assert nothing_is_left()


FORM = "multipart/form-data; boundary=x"
OTHER_FIELD = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
NAMELESS = b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n"
CUT_OFF = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nsku,na'


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", FORM, 422),
        (b"", None, 422),
        (b"{}", "application/json", 422),
        (b"sku,name,description", "text/csv", 422),
        (b"", "multipart/form-data", 422),
        (b"no form at all", FORM, 400),
        (b"", "multipart/form-data; boundary=" + "x" * 5_000, 422),
        (CUT_OFF[:-7] + b"sku,name,description\r\na,b,c\r\n", FORM, 400),
        (NAMELESS, FORM, 400),
        (OTHER_FIELD, FORM, 422),
        (CUT_OFF, FORM, 400),
    ],
)
def test_a_body_that_is_no_form_with_a_file_is_rejected(client, body, content_type, status):
    headers = {} if content_type is None else {"content-type": content_type}
    answer = client.post("/api/upload-csv", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert nothing_is_left()


def test_two_files_are_rejected(client):
    files = [("file", ("a.csv", GOOD)), ("file", ("b.csv", GOOD))]
    answer = client.post("/api/upload-csv", files=files)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, ["file"])
    assert nothing_is_left()


def send_parts(client, *parts: bytes):
    """Send a form of raw parts: the end of the part's header, an empty line, the content."""
    body = b"".join(b"--x\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--x--\r\n"
    return client.post("/api/upload-csv", content=body, headers={"content-type": FORM})


FILE_PART = b'name="file"; filename="a.csv"\r\n\r\n' + GOOD


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize(
    "name", ["dryrun", "DRY_RUN", "Mode", "sheets", "header_line", "continuation", "File", "_charset_"]
)
def test_a_field_that_does_not_exist_is_rejected_and_nothing_is_imported(client, name, is_after):
    parts = [b'name="%s"\r\n\r\ntrue' % name.encode(), FILE_PART]
    answer = send_parts(client, *(parts[::-1] if is_after else parts))
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    [error] = answer.json()["errors"]
    assert error["field"] == name
    assert ("Did you mean “dry_run”?" in error["message"]) == (name in ("dryrun", "DRY_RUN"))
    assert nothing_is_left()


@pytest.mark.parametrize("values", [(b"true", b"true"), (b"true", b"false")])
def test_a_field_that_is_there_twice_is_rejected(client, values):
    answer = send_parts(client, *(b'name="dry_run"\r\n\r\n' + value for value in values), FILE_PART)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "dry_run", "message": "It was sent more than once."}]
    assert nothing_is_left()


@pytest.mark.parametrize(
    "name", ["dry_run", "mode", "duplicates", "blank", "columns", "encoding", "delimiter", "sheet"]
)
def test_an_empty_field_is_rejected(client, name):
    answer = client.post("/api/upload-csv", files={"file": ("a.csv", GOOD)}, data={name: ""})
    assert (answer.status_code, answer.json()["errors"][0]["field"].partition(".")[0]) == (422, name)
    assert nothing_is_left()


@pytest.mark.parametrize("content", [GOOD, b"c.csv"], ids=["-F file=<c.csv", "-F file=c.csv"])
def test_a_file_without_a_filename_is_rejected_with_advice(client, content):
    answer = send_parts(client, b'name="file"\r\n\r\n' + content)
    [error] = answer.json()["errors"]
    assert "an @ before the file's name" in answer.json()["detail"]
    assert (answer.status_code, error["field"], "-F file=@" in error["message"]) == (422, "file", True)
    assert nothing_is_left()


def test_a_filename_in_the_notation_of_older_clients_is_read(client):
    answer = send_parts(client, b"name=\"file\"; filename*=UTF-8''caf%C3%A9.csv\r\n\r\n" + GOOD)
    assert client.get(answer.headers["location"]).json()["filename"] == "café.csv"


@pytest.mark.parametrize("headers", [b"", b'name=""', b'filename="a.csv"'])
def test_a_part_without_a_name_is_rejected(client, headers):
    answer = send_parts(client, FILE_PART, headers + b"\r\n\r\n1")
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/problems/bad-form")
    assert "has no name" in answer.json()["detail"]
    assert nothing_is_left()


def test_a_column_that_is_mapped_twice_is_rejected(client):
    answer = client.post(
        "/api/upload-csv", files={"file": ("a.csv", GOOD)}, data={"columns": '{"SKU": "sku", "SKU": "name"}'}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "columns", "message": "“SKU” occurs more than once"}]


@pytest.mark.parametrize("encoding", ["UTF-8", "Utf8", "utf_8"])
def test_an_encoding_in_any_case_and_a_tab_as_backslash_t_are_accepted(client, encoding):
    content = "sku\tname\tdescription\na\tGröße\t1;2,3\n".encode()
    data = {"encoding": encoding, "delimiter": r"\t"}
    answer = client.post("/api/upload-csv", files={"file": ("a.csv", content)}, data=data)
    assert answer.status_code == 202, answer.text
    read = client.get(answer.headers["location"]).json()["format"]
    assert (read["encoding"], read["delimiter"], read["is_guessed"]) == ("utf-8", "\t", False)


def test_history_is_paged_newest_first_and_filtered(client):
    ids = [post(client, GOOD).json()["job_id"] for _ in range(3)]
    tasks.run_import(ids[0])
    page = client.get("/api/jobs", params={"page_size": 2}).json()
    assert ([job["id"] for job in page["items"]], page["total"], page["pages"]) == (ids[:0:-1], 3, 2)
    done = client.get("/api/jobs", params={"status": "completed"}).json()
    assert [job["id"] for job in done["items"]] == ids[:1]


@pytest.mark.parametrize("query", ["page=0", "page_size=201", "status=done", "page=x", "q=a%00b"])
def test_the_error_for_an_invalid_page_names_the_field(client, query):
    answer = client.get(f"/api/jobs?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("path", ["/api/jobs/{}", "/api/jobs/{}/events"])
def test_an_unknown_import_is_404(client, path):
    answer = client.get(path.format(new_id()))
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert client.get(path.format("nonsense")).status_code == 422


def test_the_events_of_an_ended_import_are_its_final_state(client):
    job_id = post(client, GOOD).json()["job_id"]
    tasks.run_import(job_id)
    answer = client.get(f"/api/jobs/{job_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    [event] = [part for part in answer.text.replace("\r\n", "\n").split("\n\n") if part]
    fields = dict(line.split(": ", 1) for line in event.splitlines())
    assert "event" not in fields and fields["id"]
    assert json.loads(fields["data"]) == client.get(f"/api/jobs/{job_id}").json()


def test_an_event_source_that_has_the_last_event_stops_reconnecting(client):
    job_id = post(client, GOOD).json()["job_id"]
    client.post(f"/api/jobs/{job_id}/cancel")
    path = f"/api/jobs/{job_id}/events"
    last = re.findall(r"^id: (.+?)\r?$", client.get(path).text, re.MULTILINE)[-1]
    assert client.get(path, headers={"Last-Event-ID": last}).status_code == 204
    assert client.get(path, headers={"Last-Event-ID": "processing-0-1.0"}).status_code == 200


def test_a_waiting_import_is_cancelled_at_once_and_an_ended_one_never(client):
    job_id = post(client, GOOD).json()["job_id"]
    assert client.post(f"/api/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    tasks.run_import(job_id)
    assert client.get(f"/api/jobs/{job_id}").json()["status"] == "cancelled"
    assert client.post(f"/api/jobs/{job_id}/cancel").status_code == 409


def test_rejects_are_a_csv_that_can_be_corrected_and_uploaded_again(client):
    bad = b'sku,colour,name,description\n,red,"A, a",1\nb,blue,B,2\nc,green\n'
    job_id = post(client, bad).json()["job_id"]
    tasks.run_import(job_id)
    answer = client.get(f"/api/jobs/{job_id}/rejects")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.splitlines() == [
        "sku,colour,name,description,_line,_code,_reason",
        ',red,"A, a",1,2,no_sku,The SKU is empty.',
        'c,green,,,4,ragged,"The row has 2 fields, the header has 4."',
    ]
    corrected = answer.text.replace(",red", "a,red").replace("c,green,,", "c,green,C,")
    again = post(client, corrected.encode()).json()["job_id"]
    tasks.run_import(again)
    assert client.get(f"/api/jobs/{again}").json()["created"] == 2
    found = client.get("/api/products", params={"sku": "c"}).json()["items"][0]
    assert found["attributes"] == {"colour": "green"}
    assert client.get(f"/api/jobs/{again}/rejects").text == "sku,colour,name,description,_line,_code,_reason\r\n"
    assert client.get(f"/api/jobs/{new_id()}/rejects").status_code == 404


@pytest.mark.parametrize(
    "option",
    [
        {"dry_run": "perhaps"},
        {"mode": "replace"},
        {"duplicates": "both"},
        {"blank": "nothing"},
        {"columns": "{"},
        {"columns": '["sku"]'},
        {"columns": '{"sku": "price"}'},
        {"encoding": "rot13"},
        {"delimiter": "::"},
    ],
)
def test_an_impossible_option_is_rejected_and_named(client, option):
    answer = client.post("/api/upload-csv", files={"file": ("a.csv", GOOD)}, data=option)
    assert answer.status_code == 422
    assert {error["field"].partition(".")[0] for error in answer.json()["errors"]} == set(option)
    assert nothing_is_left()


def test_default_options_may_be_given(client):
    data = {"mode": "upsert", "duplicates": "last", "blank": "clear", "dry_run": "false"}
    assert client.post("/api/upload-csv", files={"file": ("a.csv", GOOD)}, data=data).status_code == 202


def test_the_same_upload_with_the_same_key_is_one_import(client):
    def send(content: bytes = GOOD, **data: str):
        files = {"file": ("a.csv", content)}
        return client.post("/api/upload-csv", files=files, data=data, headers={"Idempotency-Key": "order 66"})

    first, again = send(), send()
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    for other in (send(GOOD + b"B-2,b,b\n"), send(mode="create")):
        assert other.status_code == 409
        assert other.json()["job_id"] == first.json()["job_id"]
    assert client.get("/api/jobs").json()["total"] == 1
    assert len(list(storage().keys())) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
def test_an_invalid_key_is_rejected(client, key):
    headers = {"Idempotency-Key": key}
    assert client.post("/api/upload-csv", files={"file": ("a.csv", GOOD)}, headers=headers).status_code == 422


def test_the_size_of_options_is_limited(client):
    answer = client.post("/api/upload-csv", files={"file": ("a.csv", GOOD)}, data={"columns": "x" * 2_000_000})
    assert answer.status_code == 413
    assert nothing_is_left()


def test_an_import_whose_worker_is_gone_is_cancelled_at_once(client):
    from product_importer.imports.pipeline.lease import claim

    job_id = post(client, GOOD).json()["job_id"]
    lease = claim(UUID(job_id))
    with db.engine().begin() as connection:
        connection.exec_driver_sql("UPDATE import_job SET lease_until = now() - interval '1 second'")
    assert client.post(f"/api/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    assert lease is not None and db.run(fence) == lease.fence + 1


def fence(session) -> int:
    from sqlalchemy import text

    return session.scalar(text("SELECT fence FROM import_job"))


def test_options_may_follow_the_file(client):
    content = "sku;name;description\nа;б,в;ж\n".encode("windows-1251")
    parts = [b'name="file"; filename="a.csv"\r\n\r\n' + content]
    parts += [b'name="encoding"\r\n\r\nwindows-1251', b'name="delimiter"\r\n\r\n;']
    body = b"".join(b"--x\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--x--\r\n"
    answer = client.post("/api/upload-csv", content=body, headers={"content-type": FORM})
    assert answer.status_code == 202, answer.text
    tasks.run_import(answer.json()["job_id"])
    job = client.get(answer.headers["location"]).json()
    assert (job["format"]["encoding"], job["format"]["delimiter"], job["created"]) == ("windows-1251", ";", 1)
    assert client.get("/api/products").json()["items"][0]["name"] == "б,в"


def test_a_file_in_windows_1252_is_imported_and_marked_as_guessed(client):
    job_id = post(client, "sku\tname\tdescription\na\tGröße\t5 €\n".encode("windows-1252")).json()["job_id"]
    tasks.run_import(job_id)
    job = client.get(f"/api/jobs/{job_id}").json()
    assert job["format"] == {
        "container": "plain", "kind": "csv", "encoding": "windows-1252", "delimiter": "\t", "is_guessed": True,
        "part": None, "header_line": None, "escape": None
    }  # fmt: skip
    [warning] = job["warnings"]
    assert (warning["code"], warning["count"], warning["first_line"]) == ("guessed_encoding", None, None)
    assert "Windows-1252" in warning["message"]
    [product] = client.get("/api/products").json()["items"]
    assert (product["name"], product["description"]) == ("Größe", "5 €")


def test_a_file_in_an_unlikely_encoding_is_refused_with_the_likely_ones(client):
    content = "sku;name;description\r\nA-1;Чашка «Утро»;фарфор\r\nA-2;Тарелка №5;белая\r\n".encode("windows-1251")
    answer = post(client, content)
    problem = answer.json()
    assert (answer.status_code, problem["type"], problem["line"]) == (400, "/api/problems/not-text", 2)
    assert problem["encodings"] == [
        {"encoding": "windows-1251", "preview": ["A-1;Чашка «Утро»;фарфор", "A-2;Тарелка №5;белая"]}
    ]
    assert "encoding=windows-1251" in problem["detail"]
    assert nothing_is_left()
    files = {"file": ("a.csv", content)}
    named = client.post("/api/upload-csv", files=files, data={"encoding": problem["encodings"][0]["encoding"]})
    tasks.run_import(named.json()["job_id"])
    assert {item["name"] for item in client.get("/api/products").json()["items"]} == {"Чашка «Утро»", "Тарелка №5"}


def test_a_file_of_two_encodings_is_refused(client):
    content = b"sku,name,description\nA-1,Cr\xe8me,\xfc\nA-2," + "Café,é\n".encode()
    answer = post(client, content)
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/problems/not-text")
    assert "encodings" not in answer.json()
    assert nothing_is_left()


def test_shift_jis_is_read_as_windows_writes_it(client):
    content = "sku,name,description\nA-1,予約①㌔,～－ソ\n".encode("cp932")
    answer = client.post("/api/upload-csv", files={"file": ("a.csv", content)}, data={"encoding": "Shift_JIS"})
    tasks.run_import(answer.json()["job_id"])
    assert client.get(answer.headers["location"]).json()["format"]["encoding"] == "shift_jis"
    [product] = client.get("/api/products").json()["items"]
    assert (product["name"], product["description"]) == ("予約①㌔", "～－ソ")


def test_utf_16_without_a_mark_is_read_in_any_script(client):
    content = "Артикул\tНазвание\tОписание\r\nА-1\tЧашка\tфарфор\r\n".encode("utf-16-le")
    columns = {"Артикул": "sku", "Название": "name", "Описание": "description"}
    data = {"columns": json.dumps(columns)}
    answer = client.post("/api/upload-csv", files={"file": ("a.txt", content)}, data=data)
    tasks.run_import(answer.json()["job_id"])
    assert client.get(answer.headers["location"]).json()["format"]["encoding"] == "utf-16-le"
    assert client.get("/api/products").json()["items"][0]["name"] == "Чашка"


def test_the_same_key_with_another_encoding_is_another_upload(client):
    files = {"file": ("a.csv", GOOD.removeprefix(b"\xef\xbb\xbf"))}
    for encoding, status in (("utf-8", 202), ("utf-8", 202), ("gb18030", 409)):
        answer = client.post(
            "/api/upload-csv", files=files, data={"encoding": encoding}, headers={"Idempotency-Key": "one"}
        )
        assert answer.status_code == status, answer.text
