"""Logs have no forged lines and no secrets, in real processes with their own loggers."""

import json
import logging
import os
import re
import subprocess
import sys
from io import StringIO

import httpx
import pytest

from product_importer.core.logging import logs
from product_importer.core.logging.logs import RedactedRecord, escaped, safe
from product_importer.core.logging.redaction import HIDDEN
from tests.application import ROOT, free_port
from tests.forgery import FORGED_LINE, FORGERY, HEADERS, SECRET, TAB, assert_safe
from tests.waiting import wait_for


@pytest.fixture
def written() -> StringIO:
    """The stream to which the logger writes."""
    return StringIO()


@pytest.fixture
def log(written):
    """Create a logger with its own handler, as libraries do."""
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(RedactedRecord)
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("test.logs")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger
    logger.removeHandler(handler)
    logging.setLogRecordFactory(before)


@pytest.mark.parametrize(
    "code", [*range(32), *range(127, 160), 0x200E, 0x200F, 0x2028, 0x2029, 0x202E, 0x2066, 0xFEFF]
)
def test_a_control_character_is_escaped(code):
    result = escaped(f"a{chr(code)}b")
    assert result.isprintable() and result.startswith("a\\") and result.endswith("b")
    assert result == f"a{chr(code)!r}b".replace("'", "")


def test_printable_text_is_unchanged():
    for text in ('Größe 5" – ½ Liter', "日本語", "שלום", "C:\\folder", "100 %"):
        assert escaped(text) == text


def test_a_message_is_one_line(log, written):
    log.error("file %s", FORGERY)
    assert_safe(written.getvalue())
    assert written.getvalue().count("\n") == 1 and "\\n2026-01-01" in written.getvalue()


def test_a_traceback_has_lines_and_each_exception_text_is_one(log, written):
    try:
        try:
            raise ValueError(FORGERY)
        except ValueError as cause:
            cause.add_note(FORGERY)
            raise ExceptionGroup(FORGERY, [KeyError(FORGERY), OSError(2, FORGERY, FORGERY)]) from cause
    except ExceptionGroup:
        log.exception("it failed")
    assert_safe(written.getvalue())
    lines = written.getvalue().splitlines()
    assert lines.count(logs.TRACEBACK) == 4
    assert [line.partition(":")[0] for line in lines if "FORGED" in line] == [
        "ValueError",
        "ExceptionGroup",
        "KeyError",
        "FileNotFoundError",
    ]
    assert any(line.startswith('  File "') and "in test_a_traceback" in line for line in lines)


def test_cyclic_exceptions_are_logged_once(log, written):
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    log.error("it failed", exc_info=first)
    assert written.getvalue().count("ValueError: first") == written.getvalue().count("ValueError: second") == 1


@pytest.mark.parametrize(
    "before",
    [
        "Application callable raised an exception\n",
        "[Reflex Backend Exception]\n ",
        "Worker 1: job 2: exception raised while executing (3)\n",
    ],
)
def test_a_traceback_in_a_message_keeps_its_lines_indented(before):
    result = safe(f"{before}{logs.TRACEBACK}\n  File x\nValueError: {FORGERY}\n")
    assert_safe(result)
    assert result.split("\n")[1:3] == [f"    {logs.TRACEBACK}", "      File x"]


def test_a_traceback_in_any_other_message_is_one_line():
    assert "\n" not in safe(f"file x\n{logs.TRACEBACK}\n{FORGED_LINE}")


def test_secrets_in_messages_arguments_and_exceptions_are_redacted(log, written):
    log.error("no answer from %s", f"redis://:{SECRET}@cache/0")
    log.error({"headers": HEADERS})
    log.error("it failed", exc_info=ValueError(f"Cookie: {SECRET}"))
    assert_safe(written.getvalue())
    assert written.getvalue().count(HIDDEN) >= 7


def test_arguments_that_do_not_match_the_format_are_logged(log, written, capsys):
    log.error("%d rows", FORGERY)
    assert_safe(written.getvalue())
    assert "FORGED" in written.getvalue() and capsys.readouterr().err == ""


def test_a_long_message_is_cut(log, written):
    log.error("a b " * 100_000)
    assert len(written.getvalue()) < 2 * logs.MAX_CHARACTERS


@pytest.mark.processes
def test_a_failing_application_behind_the_real_server_forges_no_line_and_logs_no_secret(tmp_path):
    port, output = free_port(), tmp_path / "output.log"
    command = [sys.executable, "-m", "tests.commands.faulty_application", str(port)]
    with output.open("w") as file:
        server = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file, start_new_session=True)
    signs = [f" {logger}: " for logger in ("faulty", "py.warnings", "product_importer", "asyncio")]
    signs += ["Application callable raised an exception", "uncaught exception in the thread"]
    signs += ["Task exception was never retrieved"]
    try:
        wait_for(lambda: fails(port), 60, "the server answers")
        # It fails after its answer.
        wait_for(lambda: all(sign in output.read_text() for sign in signs), 60, "all failures are logged")
    finally:
        server.terminate()
        server.wait(60)
    assert_safe(output.read_text())


def fails(port: int) -> bool:
    try:
        answer = httpx.post(f"http://127.0.0.1:{port}/?token={SECRET}", content=FORGERY.encode(), headers=HEADERS)
    except httpx.TransportError:
        return False
    return answer.is_success


@pytest.mark.processes
def test_an_uncaught_exception_of_a_command_is_logged_without_secrets():
    program = (
        "import json, sys; from product_importer.core.logging import logs; logs.configure(); "
        "raise ValueError(json.loads(sys.argv[1]) + ' postgresql://a:S3CRET@db/shop')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(FORGERY)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert_safe(done.stderr)
    assert "CRITICAL product_importer: uncaught exception" in done.stderr and "ValueError: a\\n" in done.stderr


def test_the_token_of_a_tab_is_redacted_and_our_ids_are_not(log, written):
    log.error("disconnected client %r of import 01a2092e-a412-7000-8000-46da72beb174", TAB)
    assert_safe(written.getvalue())
    assert "01a2092e-a412-7000-8000-46da72beb174" in written.getvalue()


@pytest.mark.processes
def test_a_line_has_its_time_with_the_zone():
    code = "import logging; from product_importer.core.logging import logs; logs.configure(); logging.error('done')"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=ROOT,
        env=os.environ | {"TZ": "Asia/Kathmandu"},
        capture_output=True,
        text=True,
    )
    assert re.fullmatch(r"\d{4}(-\d\d){2} \d\d(:\d\d){2}\+0545 ERROR root: done\n", ended.stderr)
