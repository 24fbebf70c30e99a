"""Broken records: how far each reaches, what is said of it, and what an import makes of it."""

import csv
import io

import pytest

from product_importer.imports.parsing.csv import arrow, reader
from product_importer.imports.parsing.csv.reader import Records
from product_importer.imports.parsing.records import RowError, Unreadable
from tests.imports.conftest import row_errors

HEADER = "sku,name,description\n"
ISSUE = HEADER + 'A-1,Shirt,"<p class="big">Size\nsize S, red, cotton\n</p>"\nA-2,Hat,plain\n'
PLAIN = "".join(f"P-{n},Hat,plain\n" for n in range(300))
QUOTED = "".join(f'Q-{n},"Nice, hat",plain\n' for n in range(300))


def read(text: str) -> tuple[list[int], list[RowError]]:
    """Return the lines of the records behind the header, and the errors."""
    records = Records(io.StringIO(text, newline=""), parse=arrow.parse)
    records.header()
    lines: list[int] = []
    errors: list[RowError] = []
    for chunk in records.chunks():
        lines += chunk.lines
        errors += chunk.errors
    return lines, errors


@pytest.mark.parametrize(
    ("broken", "lost"),
    [
        # An inch mark costs its row, or nothing where the field is not quoted.
        ('A,5" pipe,x\n', 0),
        ('A,"5" pipe",x\n', 1),
        ('A,"5" pipe,x\n', 1),
        ('A,"5" pipe,"6" hose\n', 1),
        ('A,"the "big" one",x\n', 1),
        ('A,"rack 19" deep",x\n', 1),
        # Quotes inside a field that are not written twice, in a record of several lines.
        ('A,x,"<p class="big">\nsize S,red,cotton\n</p>"\n', 3),
        ('"A","x","<a href="y", title="z">\nsize S,red,cotton\n</a>"\n', 3),
        # All other lines are records too, so that both can be meant.
        ('A,x,"<p class="big">\nsize S,red,cotton\na,b,</p>"\n', 3),
        # A quote is missing: its end is told by the next quoted field, or nothing tells it in a hundred lines.
        ('A,"5 pipe,x\nB,Hat,y\n', 3),
        ('A,x,big\nsize S,red,cotton\n</p>"\n', 4),
    ],
)
def test_a_broken_record_costs_what_can_belong_to_it(broken, lost):
    lines, errors = read(HEADER + QUOTED + broken + QUOTED)
    total = 600 + broken.count("\n")
    covered = sum(max(1, "".join(error.row).count("\n") + 1) for error in errors)
    assert (len(lines), covered) == (total - lost, lost)


@pytest.mark.parametrize("behind", ['B,"two\nlines",x\n', '"B\nB",Hat,"one\ntwo\nthree"\n'])
def test_a_record_of_several_lines_behind_a_broken_one_is_not_lost(behind):
    lines, errors = read(HEADER + 'A,"5" pipe,x\n' + behind + "C,Hat,y\n")
    assert (lines, [error.line for error in errors]) == ([3, 3 + behind.count("\n")], [2])


def test_without_another_quote_an_open_one_casts_doubt_on_a_hundred_lines():
    lines, errors = read(HEADER + PLAIN + 'A,"5 pipe,x\n' + PLAIN)
    assert lines == [*range(2, 302), *range(402, 603)]
    assert [(error.line, error.code) for error in errors] == [(302, "unclosed_quote")] + [
        (line, "doubtful") for line in range(303, 402)
    ]
    assert errors[1].row == ["P-0", "Hat", "plain"]
    assert "Lines 302 to 401" in errors[1].reason


def test_one_inch_mark_costs_one_row_where_no_other_quote_is():
    lines, errors = read(HEADER + PLAIN + 'A,"5" pipe,x\n' + PLAIN)
    assert (len(lines), [error.line for error in errors]) == (600, [302])


@pytest.mark.parametrize("characters", range(400, 700, 7))
def test_a_field_that_lost_its_first_quote_is_found_in_the_block_before(monkeypatch, characters):
    monkeypatch.setattr(reader, "BLOCK_CHARACTERS", characters)
    text = HEADER + QUOTED[:600].rpartition("\n")[0] + "\nA,x,big\n" + "size S,red,cotton\n" * 5 + '</p>"\n' + PLAIN
    lines, errors = read(text)
    first = text[: text.index("A,x")].count("\n") + 1
    assert not set(lines) & set(range(first, first + 7))
    assert {error.line for error in errors} >= set(range(first, first + 7))
    assert len(lines) + len(errors) == text.count("\n") - 1


def test_a_line_that_is_far_too_long_is_not_searched_for_mistakes():
    lines, errors = read(HEADER + 'A,"x' + '"x' * 500_000 + "\n" + QUOTED)
    assert [error.line for error in errors][:1] == [2]
    assert "Only the first 262,144 characters are kept" in errors[0].reason
    assert lines[-1] == 302


def test_a_header_of_several_lines_that_can_be_broken_ends_the_import():
    with pytest.raises(Unreadable) as ended:
        read('sku,name,"description\nA,x,"\nsize S,red,cotton\n"\nB,y,z\n')
    assert (ended.value.code, ended.value.line) == ("malformed", 1)


def test_a_row_of_several_lines_with_too_few_fields_is_one_row_that_names_them(run_import, products):
    job = run_import(HEADER + 'A,"big\nsize S,red,cotton"\nB,Hat,x\n')
    assert set(products()) == {"B"}
    assert (row_errors(job.id), job.total_rows) == ([(2, "ragged")], 2)


def test_text_inside_a_broken_record_becomes_no_product(client, run_import, products):
    job = run_import(ISSUE)
    assert products() == {"A-2": ("Hat", "plain")}
    assert (job.status, job.total_rows, job.created, job.rejected) == ("completed", 2, 1, 1)
    _, rejected = csv.reader(io.StringIO(client.get(f"/api/jobs/{job.id}/rejects").text))
    raw, *_, line, code, reason = rejected
    assert raw == 'A-1,Shirt,"<p class="big">Size\nsize S, red, cotton\n</p>"'
    assert (line, code) == ("2", "malformed") and reason.startswith("Lines 2 to 4 are one broken record.")


def test_the_rejects_of_a_broken_record_uploaded_as_they_are_create_nothing(client, run_import, products):
    job = run_import(ISSUE)
    again = run_import(client.get(f"/api/jobs/{job.id}/rejects").text)
    assert (again.total_rows, again.rejected, set(products())) == (1, 1, {"A-2"})


def test_nothing_inside_a_broken_record_updates_a_product(run_import, products):
    run_import(HEADER + "size S,Name,Text\n")
    run_import(ISSUE)
    assert products()["size S"] == ("Name", "Text")


def test_what_cannot_be_taken_apart_stands_first_wherever_the_columns_of_rejects_stand(client, run_import):
    job = run_import('_line,_code,_reason,sku,name,description\n1,a,b,A,"5" pipe",x\n')
    _, rejected = csv.reader(io.StringIO(client.get(f"/api/jobs/{job.id}/rejects").text))
    assert rejected[0] == '1,a,b,A,"5" pipe",x'
