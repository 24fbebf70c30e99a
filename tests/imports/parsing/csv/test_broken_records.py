"""Broken records: which lines belong to them, which errors they get, and what is imported."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from product_importer.imports.parsing.csv import arrow, reader
from product_importer.imports.parsing.csv.reader import Records
from product_importer.imports.parsing.records import RowError, Unreadable
from tests.imports.conftest import row_errors

HEADER = "sku,name,description\n"
ISSUE = HEADER + 'A-1,Shirt,"<p class="big">Size\nsize S, red, cotton\n</p>"\nA-2,Hat,plain\n'
PLAIN = "".join(f"P-{n},Hat,plain\n" for n in range(300))
QUOTED = "".join(f'Q-{n},"Nice, hat",plain\n' for n in range(300))


def lines_and_errors(text: str) -> tuple[list[int], list[RowError]]:
    """Return the lines of the records after the header, and the errors."""
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
        # An inch mark loses its row, or none if the field is not quoted.
        ('A,5" pipe,x\n', 0),
        ('A,"5" pipe",x\n', 1),
        ('A,"5" pipe,x\n', 1),
        ('A,"5" pipe,"6" hose\n', 1),
        ('A,"the "big" one",x\n', 1),
        ('A,"rack 19" deep",x\n', 1),
        # Quotes that are not doubled inside a field, in a record of several lines.
        ('A,x,"<p class="big">\nsize S,red,cotton\n</p>"\n', 3),
        ('"A","x","<a href="y", title="z">\nsize S,red,cotton\n</a>"\n', 3),
        # Each other line is a valid record as well, so it is not clear which is meant.
        ('A,x,"<p class="big">\nsize S,red,cotton\na,b,</p>"\n', 3),
        # A missing quote: the next quoted field shows where the record ends, or nothing does within a hundred lines.
        ('A,"5 pipe,x\nB,Hat,y\n', 3),
        ('A,x,big\nsize S,red,cotton\n</p>"\n', 4),
    ],
)
def test_a_broken_record_loses_only_lines_that_can_belong_to_it(broken, lost):
    lines, errors = lines_and_errors(HEADER + QUOTED + broken + QUOTED)
    total = 600 + broken.count("\n")
    covered = sum(max(1, "".join(error.row).count("\n") + 1) for error in errors)
    assert (len(lines), covered) == (total - lost, lost)


@pytest.mark.parametrize("following", ['B,"two\nlines",x\n', '"B\nB",Hat,"one\ntwo\nthree"\n'])
def test_a_record_of_several_lines_after_a_broken_one_is_not_lost(following):
    lines, errors = lines_and_errors(HEADER + 'A,"5" pipe,x\n' + following + "C,Hat,y\n")
    assert (lines, [error.line for error in errors]) == ([3, 3 + following.count("\n")], [2])


def test_an_unclosed_quote_makes_a_hundred_lines_doubtful_if_no_quote_follows():
    lines, errors = lines_and_errors(HEADER + PLAIN + 'A,"5 pipe,x\n' + PLAIN)
    assert lines == [*range(2, 302), *range(402, 603)]
    assert [(error.line, error.code) for error in errors] == [(302, "unclosed_quote")] + [
        (line, "doubtful") for line in range(303, 402)
    ]
    assert errors[1].row == ["P-0", "Hat", "plain"]
    assert "Lines 302 to 401" in errors[1].reason


def test_an_inch_mark_loses_one_row_if_there_is_no_other_quote():
    lines, errors = lines_and_errors(HEADER + PLAIN + 'A,"5" pipe,x\n' + PLAIN)
    assert (len(lines), [error.line for error in errors]) == (600, [302])


@pytest.mark.parametrize("characters", range(400, 700, 7))
def test_a_field_without_its_first_quote_is_found_in_the_previous_block(monkeypatch, characters):
    monkeypatch.setattr(reader, "BLOCK_CHARACTERS", characters)
    text = HEADER + QUOTED[:600].rpartition("\n")[0] + "\nA,x,big\n" + "size S,red,cotton\n" * 5 + '</p>"\n' + PLAIN
    lines, errors = lines_and_errors(text)
    first = text[: text.index("A,x")].count("\n") + 1
    assert not set(lines) & set(range(first, first + 7))
    assert {error.line for error in errors} >= set(range(first, first + 7))
    assert len(lines) + len(errors) == text.count("\n") - 1


@pytest.mark.parametrize("length", range(700, 1_300, 40))
def test_rows_with_an_inch_mark_and_long_texts_of_several_lines_are_all_read(monkeypatch, length):
    """Blocks end within texts, one after the other, and are shorter than what a wrong quote may make doubtful."""
    monkeypatch.setattr(reader, "BLOCK_CHARACTERS", 20_000)
    rows = [(f"S-{n}", '5" pipe', "x" * length + "\nmore" * (n % 3)) for n in range(300)]
    text = HEADER + "".join(f'{sku},{name},"{description}"\n' for sku, name, description in rows)
    lines, errors = lines_and_errors(text)
    assert (len(lines), errors) == (300, [])


def height(row: list[str]) -> int:
    return 1 + sum(len(io.StringIO(field, newline=None).read().split("\n")) - 1 for field in row)


@given(st.text(st.sampled_from('a",\n'), max_size=30), st.sampled_from(["\n", "\r\n", "\r"]), st.integers(1, 12))
@example('a\n\na","\n,""",aa\n\n"a', "\n", 1)
def test_each_line_belongs_to_a_row_or_an_error_whatever_the_size_of_blocks(text, line_break, characters):
    text = text.replace("\n", line_break)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK_CHARACTERS", characters)
        chunks = list(Records(io.StringIO(text, newline="")).chunks())
    rows = [pair for chunk in chunks for pair in zip(chunk.lines, chunk.rows, strict=True)]
    rows += [(error.line, error.row) for chunk in chunks for error in chunk.errors]
    told = {number for line, row in rows for number in range(line, line + height(row))}
    lines = io.StringIO(text, newline="").readlines()
    assert {number for number, line in enumerate(lines, 1) if line.strip("\r\n")} <= told


def test_a_line_that_is_far_too_long_is_not_searched_for_mistakes():
    lines, errors = lines_and_errors(HEADER + 'A,"x' + '"x' * 500_000 + "\n" + QUOTED)
    assert [error.line for error in errors][:1] == [2]
    assert "Only the first 262,144 characters are kept" in errors[0].reason
    assert lines[-1] == 302


def test_a_header_of_several_lines_that_may_be_broken_ends_the_import():
    with pytest.raises(Unreadable) as ended:
        lines_and_errors('sku,name,"description\nA,x,"\nsize S,red,cotton\n"\nB,y,z\n')
    assert (ended.value.code, ended.value.line) == ("malformed", 1)


def test_a_row_of_several_lines_with_too_few_fields_is_one_rejected_row(run_import, products):
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


def test_the_uncorrected_rejects_of_a_broken_record_create_nothing(client, run_import, products):
    job = run_import(ISSUE)
    again = run_import(client.get(f"/api/jobs/{job.id}/rejects").text)
    assert (again.total_rows, again.rejected, set(products())) == (1, 1, {"A-2"})


def test_nothing_inside_a_broken_record_updates_a_product(run_import, products):
    run_import(HEADER + "size S,Name,Text\n")
    run_import(ISSUE)
    assert products()["size S"] == ("Name", "Text")


def test_an_unsplittable_record_is_in_the_first_column(client, run_import):
    job = run_import('_line,_code,_reason,sku,name,description\n1,a,b,A,"5" pipe",x\n')
    _, rejected = csv.reader(io.StringIO(client.get(f"/api/jobs/{job.id}/rejects").text))
    assert rejected[0] == '1,a,b,A,"5" pipe",x'
