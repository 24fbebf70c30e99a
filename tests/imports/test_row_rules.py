"""By REST: what is a row, where the header is, and what is said about both."""

import pytest

from product_importer.core import queue
from product_importer.imports import tasks
from product_importer.imports.service import RUN_IMPORT
from tests.imports.conftest import row_errors
from tests.imports.parsing.books.made_books import ALL


@pytest.fixture
def imported(client):
    """Import a file by REST, and return the ended import."""

    def run(content: bytes, **options: str) -> dict:
        answer = client.post("/api/upload-csv", files={"file": ("a.csv", content)}, data=options)
        assert answer.status_code == 202, answer.text
        tasks.run_import(answer.json()["job_id"])
        return client.get(answer.headers["location"]).json()

    return run


def counts(job: dict) -> tuple[str, int, int, int]:
    return job["status"], job["total_rows"], job["created"], job["rejected"]


def errors_of(job: dict) -> list[tuple[int, str]]:
    return row_errors(job["id"])


def attributes(client, sku: str) -> dict:
    [product] = client.get("/api/products", params={"sku": sku}).json()["items"]
    return product["attributes"]


@pytest.mark.parametrize(
    "content", [b"sku,name,description,\nK-1,A,a\nK-2,B,b\n", b"sku,name,description\nK-1,A,a,\nK-2,B,b, ,\n"]
)
def test_a_trailing_comma_loses_nothing_and_makes_no_attribute(client, imported, products, content):
    job = imported(content)
    assert (counts(job), list(job["columns"])) == (("completed", 2, 2, 0), ["sku", "name", "description"])
    assert products() == {"K-1": ("A", "a"), "K-2": ("B", "b")}
    assert attributes(client, "K-1") == {}


def test_a_value_beyond_the_last_column_is_still_ragged(imported):
    job = imported(b"sku,name,description,\nK-1,A,a,\nK-2,B,b,,x\n")
    assert (counts(job), errors_of(job)) == (("completed", 2, 1, 1), [(3, "ragged")])


def test_an_unnamed_column_with_values_stays_an_attribute(client, imported):
    job = imported(b"sku,name,description,\nK-1,A,a\nK-2,B,b,x\n")
    assert counts(job) == ("completed", 2, 2, 0)
    assert (attributes(client, "K-1"), attributes(client, "K-2")) == ({}, {"column 4": "x"})


def test_blank_lines_are_no_rows(imported, products):
    tail = b'   \n,,\n  ,  ,  \n""\n\t\n\n'
    job = imported(b"\n  \nsku,name,description\nK-1,A,a\n" + tail + b"K-2,B,b\n" + tail + b"\x1a")
    assert (counts(job), job["warnings"]) == (("completed", 2, 2, 0), [])
    assert set(products()) == {"K-1", "K-2"}


@pytest.mark.parametrize("padding", [b"\x1a\r\n", b"\0\0\r\n\0", b"\x1a\r\nK-2,B,b\r\n"])
def test_lines_of_padding_are_no_rows(imported, products, padding):
    job = imported(b"sku,name,description\r\nK-1,A,a\r\n" + padding)
    assert counts(job)[2:] == (len(products()), 0)
    assert "K-1" in products()


def test_nuls_after_the_end_are_no_row(imported):
    assert counts(imported(b"sku,name,description\r\nK-1,A,a\r\n" + b"\0" * 512)) == ("completed", 1, 1, 0)


@pytest.mark.parametrize("padding", [b"\x1a", b"\0" * 512])
@pytest.mark.parametrize(
    ("name", "encoding", "options"),
    [("Größe", "windows-1252", {}), ("Чашка", "windows-1251", {"encoding": "windows-1251"})],
)
def test_padding_after_text_in_an_8_bit_encoding_is_no_row(imported, products, name, encoding, options, padding):
    job = imported(f"sku,name,description\r\nK-1,{name},a\r\n".encode(encoding) + padding, **options)
    assert (counts(job), products()) == (("completed", 1, 1, 0), {"K-1": (name, "a")})


def test_joined_files_are_read_and_their_second_header_is_named(imported, products):
    mark = b"\xef\xbb\xbf"
    header = mark + b"sku,name,description\n"
    job = imported(mark + header + b"K-1,A,a\n" + header + b"K-2,B,b\n" + mark + b"K-3,C,c\n")
    assert (counts(job), errors_of(job)) == (("completed", 4, 3, 1), [(3, "repeated_header")])
    assert set(products()) == {"K-1", "K-2", "K-3"}


def test_text_formulas_are_unwrapped_and_counted(client, imported, products):
    job = imported(b'sku,="name",description,ean\n="000-1",A,a,"=""0040"""\n"=""000-2""",B,b,4\nK,C,x="1",\n')
    assert products() == {"000-1": ("A", "a"), "000-2": ("B", "b"), "K": ("C", 'x="1"')}
    assert attributes(client, "000-1") == {"ean": "0040"}
    [warning] = job["warnings"]
    assert (warning["code"], warning["count"], warning["first_line"]) == ("text_formulas", 3, 2)


def test_a_rejected_row_with_a_text_formula_can_be_corrected(client, imported, products):
    job = imported(b'sku,name,description\n="001",,a\n')
    rejects = client.get(f"/api/jobs/{job['id']}/rejects").content
    imported(rejects.replace(b"001,,a", b"001,A,a"))
    assert products() == {"001": ("A", "a")}


def test_skus_in_scientific_notation_are_rejected_or_kept(client, imported, products):
    content = b"sku;name;description;ean\nH15;Cup;w;4,00638E+12\n4,00638E+12;Red;r;1\n4,00638E+12;Blue;b;2\n"
    job = imported(content)
    assert (counts(job), errors_of(job)) == (
        ("completed", 3, 1, 2), [(3, "scientific_sku"), (4, "scientific_sku")]
    )  # fmt: skip
    assert attributes(client, "H15") == {"ean": "4,00638E+12"}
    kept = imported(content, scientific="keep")
    assert (kept["created"], kept["duplicates"], kept["choices"]["scientific"]) == (1, 1, "keep")
    assert set(products()) == {"H15", "4,00638E+12"}


def test_backslash_escapes_are_read_and_told(imported, products):
    content = b'"sku","name","description"\n"K-1","19\\" screen","<a href=\\"x\\">big, bold</a>"\n'
    job = imported(content)
    assert products() == {"K-1": ('19" screen', '<a href="x">big, bold</a>')}
    assert [(one["code"], one["count"]) for one in job["warnings"]] == [("backslash_escapes", None)]
    assert job["format"]["escape"] == "backslash"


TITLED = b"Price list,,\nsku,name,description\nK-1,A,a\n"


def test_a_header_below_the_first_line_is_found_and_told(imported, products):
    job = imported(TITLED)
    assert (counts(job), job["format"]["header_line"]) == (("completed", 1, 1, 0), 2)
    [warning] = job["warnings"]
    assert (warning["code"], warning["count"], warning["first_line"]) == ("header_found_below", None, 2)
    assert products() == {"K-1": ("A", "a")}


def test_a_header_line_that_was_named_is_used_without_a_warning(imported, products):
    content = b"sku,name,description\nKod,Nazwa,Opis\nK-1,A,a\n"
    job = imported(content, header_line="2", columns='{"kod": "sku", "nazwa": "name", "opis": "description"}')
    assert (counts(job), job["warnings"], job["format"]["header_line"]) == (("completed", 1, 1, 0), [], 2)


def test_a_file_without_a_header_is_mapped_by_the_numbers_of_its_columns(client, imported, products):
    mapping = '{"column 2": "sku", "column 1": "name", "column 3": "description"}'
    job = imported(b"A,K-1,a,red\nB,K-2,b,\n", header_line="0", columns=mapping)
    assert counts(job) == ("completed", 2, 2, 0)
    assert products() == {"K-1": ("A", "a"), "K-2": ("B", "b")}
    assert attributes(client, "K-1") == {"column 4": "red"}


BY_NUMBER = '{"column 1": "sku", "column 2": "name", "column 3": "description"}'


def test_the_first_row_of_a_file_without_a_header_says_how_wide_it_is(client, imported):
    job = imported(b"K-1,A,a\nK-2,B,b,\nK-3,C,c,red\nK-4,D\n", header_line="0", columns=BY_NUMBER)
    assert (counts(job), errors_of(job)) == (("completed", 4, 2, 2), [(3, "ragged"), (4, "ragged")])
    rejects = client.get(f"/api/jobs/{job['id']}/rejects").text
    assert rejects.count("the first row has 3, which counts where there is no header. Put a row with all") == 2
    assert "Beyond the last column: red" in rejects


@pytest.mark.processes
@pytest.mark.parametrize("kind", ALL)
def test_the_first_row_of_a_workbook_without_a_header_does_so_too(client, imported, kind):
    content = ALL[kind]({"S": [[None], ["K-1", "A", "a"], ["K-2", "B"], ["K-3", "C", "c", "red"]]})
    job = imported(content, header_line="0", columns=BY_NUMBER)
    assert (counts(job), errors_of(job)) == (("completed", 3, 2, 1), [(4, "ragged")])
    assert "the first row has 3, which counts" in client.get(f"/api/jobs/{job['id']}/rejects").text


def test_the_error_of_a_row_wider_than_its_header_names_the_header(client, imported):
    job = imported(b"sku,name,description\nK-1,A,a,red\n")
    rejects = client.get(f"/api/jobs/{job['id']}/rejects").text
    assert "The row has 4 fields, the header has 3. Beyond the last column: red" in rejects


@pytest.mark.parametrize(
    ("content", "options", "status", "words"),
    [
        (TITLED, {"header_line": "9"}, 400, "no column names in line 9"),
        (TITLED, {"header_line": "-1"}, 422, "header_line"),
        (TITLED, {"header_line": "x"}, 422, "header_line"),
        (b"K-1,A,a\n", {"header_line": "0"}, 400, "Columns found: column 1, column 2, column 3"),
        (b'"sku,name,description"\n"K-1,A,a"\n', {}, 400, "Each line is one quoted cell"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(client, content, options, status, words):
    answer = client.post("/api/upload-csv", files={"file": ("a.csv", content)}, data=options)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert "suggestions" not in answer.json() or answer.json()["suggestions"] == {}
    assert queue.waiting_keys(RUN_IMPORT) == set()


def test_a_retried_import_reads_the_same(client, imported, products):
    answer = client.post("/api/upload-csv", files={"file": ("a.csv", TITLED)})
    job = answer.headers["location"]
    client.post(f"{job}/cancel")
    client.post(f"{job}/retry")
    tasks.run_import(answer.json()["job_id"])
    assert counts(client.get(job).json()) == ("completed", 1, 1, 0)
    assert products() == {"K-1": ("A", "a")}
