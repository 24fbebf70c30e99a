"""JSON Lines and JSON arrays are read without a loss, in pieces of any size."""

import codecs
import io
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from product_importer.core.errors import Invalid, Unprocessable
from product_importer.core.settings import settings
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.exact_texts import MARKS
from product_importer.imports.parsing.json import elements, reader
from product_importer.imports.parsing.json.reader import JsonRecords
from product_importer.imports.parsing.records import Unreadable
from tests.imports.parsing.reading import Rows, detected, rows_of

FIRST = '{"sku": "a", "name": "A", "description": null}\n'


def read(text: str, is_array: bool = False) -> tuple[list[str], Rows, list[tuple[int, str]]]:
    """Return the header, the rows, and line and code of each error."""
    records = JsonRecords(io.StringIO(text, newline=""), is_array)
    names, _ = records.header()
    rows: Rows = []
    errors = []
    for chunk in records.chunks():
        rows += zip(chunk.lines, chunk.rows, strict=True)
        errors += [(error.line, error.code.value) for error in chunk.errors]
    return names, rows, errors


def refusal(content: bytes | str, **options: Any) -> Invalid:
    with pytest.raises(Invalid) as raised:
        detected(content.encode() if isinstance(content, str) else content, ImportOptions(**options))
    return raised.value


# Texts that PostgreSQL can store; `test_exact_texts` has those that look like escapes for spreadsheets.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9).filter(
    lambda text: not text.strip().startswith(MARKS)
)
NUMBER = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
VALUE = st.recursive(
    st.one_of(TEXT, NUMBER, st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=5,
)
OBJECTS = st.lists(st.dictionaries(TEXT, VALUE, max_size=5), min_size=1, max_size=8)


def as_cell(value: Any) -> str:
    """What a loop over the parsed objects would store."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_rows(objects: list[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    names = list(dict.fromkeys(key for one in objects for key in one))
    return names, [[as_cell(one.get(name)) for name in names] for one in objects]


@given(objects=OBJECTS, is_ascii=st.booleans(), line_break=st.sampled_from(["\n", "\r\n", "\r", "\n \n"]))
def test_json_lines_read_as_a_loop_over_the_objects(objects, is_ascii, line_break):
    text = line_break.join(json.dumps(one, ensure_ascii=is_ascii) for one in objects)
    names, rows, errors = read(text)
    step = 2 if line_break == "\n \n" else 1
    assert (names, [row for _, row in rows]) == as_rows(objects)
    assert ([line for line, _ in rows], errors) == ([1 + step * place for place in range(len(objects))], [])


@given(objects=OBJECTS, indent=st.sampled_from([None, 0, 2]), is_ascii=st.booleans(), window=st.integers(1, 40))
@example(objects=[{"a": 12}, {"a": "\U0001f600"}], indent=None, is_ascii=True, window=1)
def test_an_array_reads_as_a_loop_wherever_it_is_cut(objects, indent, is_ascii, window):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elements, "WINDOW_CHARACTERS", window)
        names, rows, errors = read(json.dumps(objects, indent=indent, ensure_ascii=is_ascii), is_array=True)
    assert (names, [row for _, row in rows]) == as_rows(objects)
    assert ([line for line, _ in rows], errors) == (list(range(1, len(objects) + 1)), [])


@pytest.mark.parametrize("window", range(1, 30))
def test_a_number_in_an_array_is_taken_whole_wherever_it_is_cut(window, monkeypatch):
    monkeypatch.setattr(elements, "WINDOW_CHARACTERS", window)
    _, rows, errors = read('[{"a":1},12345,{"a":2}]', is_array=True)
    assert (rows, errors) == ([(1, ["1"]), (3, ["2"])], [(2, "malformed")])


@given(objects=OBJECTS, data=st.data())
def test_a_file_that_is_cut_off_never_reads_as_a_whole_one(objects, data):
    """An array fails; of JSON Lines, only the last line is rejected."""
    whole = json.dumps(objects, indent=1)
    place = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(Unreadable) as raised:
        read(whole[:place], is_array=True)
    assert 1 <= (raised.value.line or 0) <= whole.count("\n") + 1
    lines = "".join(json.dumps(one) + "\n" for one in objects)
    place = data.draw(st.integers(1, len(lines) - 1))
    complete = lines[:place].count("\n") + (lines[place] == "\n" and lines[place - 1] != "\n")
    _, rows, errors = read(lines[:place])
    assert [line for line, _ in rows] == list(range(1, complete + 1))
    rest = lines[:place].rpartition("\n")[2]
    is_rest_bad = bool(rest) and lines[place] != "\n"
    assert errors == ([(complete + 1, "malformed")] if is_rest_bad else [])


@pytest.mark.parametrize(
    "number", ["1.10", "12345678901234567890", "-0", "1E400", "0.1000000000000000055", "4.00638E+12", "9" * 5_000]
)
def test_a_number_stays_as_it_is_written(number):
    _, rows, _ = read(f'{{"sku": {number}, "size": [{number}, {{"a":{number}}}]}}')
    assert rows == [(1, [number, f'[{number},{{"a":{number}}}]'])]


def test_words_nulls_and_nested_values():
    text = '{"a": true, "b": false, "c": null, "d": [], "e": {}, "f": [null, true, " \\u0000\\n\\"", {"x" : [1]}]}'
    assert read(text)[1] == [(1, ["true", "false", "", "[]", "{}", '[null,true," \\u0000\\n\\"",{"x":[1]}]'])]


def test_keys_are_columns_in_the_order_in_which_they_appear():
    names, rows, errors = read('{"b": 1}\n{"a": 2, "b": 3}\n{}\n')
    assert (names, rows, errors) == (["b", "a"], [(1, ["1", ""]), (2, ["3", "2"]), (3, ["", ""])], [])


@pytest.mark.parametrize("is_array", [False, True])
def test_a_key_that_appears_later_rejects_its_row_and_loses_nothing(is_array):
    objects = [{"a": 1}] * reader.SAMPLE_OBJECTS + [{"a": 2, "late\n": 3}, {"a": 4}]
    text = json.dumps(objects) if is_array else "".join(json.dumps(one) + "\n" for one in objects)
    records = JsonRecords(io.StringIO(text, newline=""), is_array)
    assert records.header()[0] == ["a"]
    [chunk] = records.chunks()
    [error] = chunk.errors
    assert (error.line, error.code, error.row) == (301, "unknown_key", ["2"])
    assert "“late�”" in error.reason and (len(chunk.rows), chunk.lines[-1]) == (301, 302)


def test_long_objects_make_the_sample_end_early():
    objects = [{"a": "x" * 300_000}] * 4 + [{"b": 1}]
    names, _, errors = read("".join(json.dumps(one) + "\n" for one in objects))
    assert (names, errors) == (["a"], [(5, "unknown_key")])


# Well-formed JSON that is no row.
ROWLESS = {
    '{"a": NaN}': "malformed",
    '{"a": [-Infinity]}': "malformed",
    '{"a": "\\ud800"}': "malformed",
    '{"a": ["\\udc00\\ud83d"]}': "malformed",
    '{"\\udfff": 1}': "malformed",
    "[1, 2]": "malformed",
    '"a"': "malformed",
    "12": "malformed",
    "null": "malformed",
    '{"a": 1, "a": 1}': "repeated_key",
    '{"a": [{"b": 1, "c": 2, "b": 3}]}': "repeated_key",
    f'{{"a": {"[" * 70}{"]" * 70}}}': "too_deep",
    f'{{"a": "{"x" * (4 * 1024 * 1024)}"}}': "too_long",
}
BAD_LINES = ROWLESS | {
    "no json": "malformed",
    '{"a": 1': "malformed",
    '{"a": 1,}': "malformed",
    "{'a': 1}": "malformed",
    '{"a": "tab\there"}': "malformed",
    '{"a": 01}': "malformed",
    '{"a": 1} {"a": 2}': "malformed",
    "[" * 200_000: "too_deep",
    '{"a":' * 200_000: "too_deep",
}


@pytest.mark.parametrize("bad", BAD_LINES, ids=lambda line: line[:20])
def test_a_bad_line_is_rejected_and_reading_goes_on(bad):
    names, rows, errors = read('{"a": 1}\n' + bad + '\n{"a": "\\ud83d\\ude00"}\n')
    assert (names, rows, errors) == (["a"], [(1, ["1"]), (3, ["😀"])], [(2, BAD_LINES[bad])])


@pytest.mark.parametrize("bad", ROWLESS, ids=lambda line: line[:20])
def test_an_object_of_an_array_that_is_no_row_is_rejected_and_reading_goes_on(bad):
    _, rows, errors = read(f'[{{"a": 1}},{bad},{{"a": 2}}]', is_array=True)
    assert (rows, errors) == ([(1, ["1"]), (3, ["2"])], [(2, BAD_LINES[bad])])


@pytest.mark.parametrize(
    ("rest", "line", "words"),
    [
        ('{"b": 2}\n]', 2, "“,” or “]”"),
        (',\n\n{"a" 2}]', 4, "object 2"),
        (',\n{"a": 2},\n]', 4, "object 3"),
        (",", 2, "object 2"),
        ("", 2, "the file ends"),
        ("]\n{", 3, "after the end"),
        (",\r\n\r\r[" + "[" * 300_000, 5, "too deeply"),
        (',\n{"a": "' + "x" * 9_000_000, 3, "more than 4,194,304"),
    ],
)
def test_an_array_that_is_not_well_formed_fails_with_the_line(rest, line, words):
    records = JsonRecords(io.StringIO('[\n{"a": 1}' + rest, newline=""), is_array=True)
    with pytest.raises(Unreadable, match=words) as raised:
        records.header()
        list(records.chunks())
    assert (raised.value.code, raised.value.line) == ("bad_json", line)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (FIRST, "jsonl"),
        (f" \r\n\t{FIRST}", "jsonl"),
        (f"[{FIRST}]", "json"),
        (f"\n [\n {FIRST} ]\n", "json"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_json_is_told_by_its_content(content, kind, encoding):
    packed = content.encode(encoding)
    format, names = detected(packed)
    assert (format.kind, format.container, names) == (kind, "plain", ["sku", "name", "description"])
    assert [row for _, row in rows_of(packed, format)[0]] == [["a", "A", ""]]


@pytest.mark.parametrize("content", ["[sku],[name]\n1,2\n", "{sku},{name}\n1,2\n", '"{""a"": 1}",b\n', "[1],b\n"])
def test_a_csv_whose_names_have_brackets_is_no_json(content):
    assert detected(content.encode())[0].kind == "csv"


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        ("[]", "empty-file", "no objects"),
        (" [ ] ", "empty-file", "no objects"),
        ('["sku", "name"]\n["a", "b"]', "not-csv", "after the end"),
        ('["sku", "name"]', "not-csv", "not a JSON object"),
        ("{}\n{}\n", "not-csv", "no keys"),
        ('{"products": [{"sku": 1}]}', "not-csv", "field “products”"),
        ('{"total": 1, "items": [{"id": 2}], "next": null}', "not-csv", "field “items”"),
        ('{\n "sku": 1,\n "images": [{"a": 2}]}', "not-csv", "does not end in it. Upload an array of objects"),
        (f"[{FIRST}", "not-csv", "line 2"),
        (FIRST.encode() + b'{"sku": "\xe9"}', "not-text", "UTF-8"),
        ('{"' + "x" * 1_100_000 + '": 1}', "not-csv", "million characters"),
        ("{" + ",".join(f'"{number}": 1' for number in range(2_001)) + "}", "too-many-columns", "2,001"),
        ('{"a\\u0007": 1}', "not-csv", "control characters"),
    ],
)
def test_json_without_products_is_refused_with_the_reason(content, kind, words):
    error = refusal(content)
    assert (error.kind, words in error.detail) == (kind, True), error.detail


@pytest.mark.parametrize(
    "option", [{"delimiter": ","}, {"encoding": "utf-8"}, {"sheet": "A"}, {"header_line": 1}], ids=str
)
@pytest.mark.parametrize("content", [FIRST, f"[{FIRST}]"])
def test_options_about_text_and_workbooks_are_refused_for_json(content, option):
    with pytest.raises(Unprocessable) as raised:
        detected(content.encode(), ImportOptions(**option))
    assert [error["field"] for error in raised.value.extra["errors"]] == list(option)


def test_an_array_in_one_long_line_is_read_in_bounded_memory(monkeypatch):
    """The limit of a line is for lines of a table."""
    monkeypatch.setattr("product_importer.imports.parsing.opening.MAX_LINE_BYTES", 100_000)
    content = b"[" + b",".join([FIRST.strip().encode()] * 10_000) + b"]"
    format, _ = detected(content)
    assert len(rows_of(content, format)[0]) == 10_000


def test_sparse_objects_cannot_become_more_cells_than_an_upload_may_have(monkeypatch):
    monkeypatch.setattr(settings(), "max_upload_mb", 1)
    text = json.dumps(dict.fromkeys(map(str, range(1_000)), 1)) + "\n" + "{}\n" * 5_000
    with pytest.raises(Unreadable) as raised:
        read(text)
    assert raised.value.code == "too_large"


def test_undecodable_bytes_are_an_error_of_the_import():
    text = io.TextIOWrapper(io.BytesIO(b'{"a": 1}\n{"a": "\xff"}\n'), encoding="utf-8", newline="")
    with pytest.raises(Unreadable) as raised:
        list(JsonRecords(text, is_array=False).chunks())
    assert raised.value.code == "undecodable"


def test_a_byte_order_mark_at_the_start_of_a_line_is_dropped():
    mark = codecs.BOM_UTF8.decode()
    assert read(f'{mark}{{"a": 1}}\n{mark}{{"a": 2}}\n')[1] == [(1, ["1"]), (2, ["2"])]
