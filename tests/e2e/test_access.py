"""The whole application rejects other hosts, other sites and slow clients."""

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, expect
from reflex.event import EventHandler
from reflex_base.utils.format import format_event_handler

from product_importer.catalog.pages.list_state import CatalogState
from product_importer.imports.pages.drafts.draft_state import DraftState
from product_importer.imports.pages.drafts.receive_state import ReceiveState
from tests.application import ROOT, Application, free_port
from tests.e2e.test_pages import SECONDS, drop
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
EVENTS = "/_event/?EIO=4&transport=websocket"
BEGUN_UPLOAD = (
    b"POST /api/upload-csv HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    b"Content-Length: 1000\r\n\r\n--x\r\nContent-Disposition: form-data; name=file; filename=a.csv\r\n\r\nsku"
)
# Unfinished headers, the first byte of both versions, HTTP/2 (which has no limit), and nothing.
BEGUN_HEADERS = [
    b"GET /api/health HTTP/1.1\r\nHost: loc",
    b"P",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    b"",
]
FIRST_VISIT_MILLISECONDS = 60_000
# The limit is 30 s.
PATIENCE_SECONDS = 45

# Another site's page tries an upload without a preflight, requests with one, a websocket and a frame.
EVIL_PAGE = """<!doctype html><title>Evil</title><iframe src="{url}/"></iframe><script>
const body = new FormData();
body.append("file", new Blob(["sku,name,description\\nEVIL,x,y\\n"]), "evil.csv");
const asked = [
  fetch("{url}/api/upload-csv", {{method: "POST", body, mode: "no-cors"}}),
  fetch("{url}/api/products?confirm=true", {{method: "DELETE"}}),
  fetch("{url}/api/products").then((answer) => answer.text()).then(() => {{ throw Error("read"); }}, () => 0),
  new Promise((done) => {{
    const socket = new WebSocket("{events}");
    socket.onopen = () => done("open");
    socket.onerror = () => done("refused");
  }}),
];
Promise.allSettled(asked).then((all) => {{
  document.title = all.map((one) => one.value?.type ?? one.value ?? one.status).join(" ");
}});
</script>"""


@pytest.fixture
def evil_site(application: Application) -> Iterator[str]:
    """Serve a page of another site, on another port."""
    page = EVIL_PAGE.format(url=application.url, events=application.url.replace("http", "ws") + EVENTS).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_another_sites_page_can_do_nothing(browser: Browser, application: Application, evil_site: str):
    before = application.client.get("/api/jobs").json()["total"]
    page = browser.new_page()
    framed: list[str] = []
    page.on("console", lambda message: framed.append(message.text))
    page.goto(evil_site)
    expect(page).not_to_have_title("Evil", timeout=SECONDS)
    # The page may read no answer; the application shows that no request had an effect.
    assert page.title() == "rejected rejected 0 refused"
    assert application.client.get("/api/jobs").json()["total"] == before

    def is_refused() -> bool:
        # Messages come in while something is asked of the page.
        return bool(page.evaluate("1")) and any("frame-ancestors" in message for message in framed)

    wait_for(is_refused, 30, "the frame is refused")
    page.close()


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({"Host": "evil.example"}, 400, "host-not-allowed"),
        ({"Origin": "http://evil.example"}, 403, "cross-site"),
        ({"Origin": "null"}, 403, "cross-site"),
    ],
)
def test_only_our_page_may_open_the_websocket(application: Application, headers: dict, status: int, kind: str):
    answer = application.client.get(EVENTS, headers=HANDSHAKE | headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/api/problems/{kind}")


@pytest.mark.parametrize("path", ["/", "/imports", "/api/products", "/api/docs", "/metrics", "/_upload/x", "/nope"])
def test_a_host_that_is_not_allowed_reads_nothing(application: Application, path: str):
    answer = application.client.get(path, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/problems/host-not-allowed")


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/_upload", "/api/upload-csv", "/imports"])
def test_reflexs_own_routes_are_protected_too(application: Application, method: str, path: str):
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = application.client.request(method, path, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "/api/problems/cross-site")
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("handler", [CatalogState.open_products, ReceiveState.receive, DraftState.choose_encoding])
def test_an_upload_that_reflex_does_not_expect_is_a_400(application: Application, handler: EventHandler):
    """Only one of the three handlers accepts files, and its body must be a form."""
    headers = {"reflex-client-token": "x", "reflex-event-handler": format_event_handler(handler)}
    answer = application.client.post("/_upload", headers=headers, content=b"x")
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/problems/bad-form")


@pytest.mark.parametrize("path", ["/", "/imports", "/webhooks", "/api/docs", "/nope"])
def test_a_page_runs_no_script_but_ours(browser: Browser, application: Application, path: str):
    """The fixture `page` checks in every test that our own pages comply with the policy."""
    page = browser.new_page()
    page.goto(application.url + path)
    page.evaluate(
        "() => { const script = document.createElement('script'); script.text = 'window.injected = 1';"
        " document.body.append(script); }"
    )
    assert page.evaluate("() => window.injected") is None
    page.close()


@pytest.mark.parametrize("path", ["/", "/api/products"])
def test_nothing_is_traced(application: Application, path: str):
    answer = application.client.request("TRACE", path, headers={"X-Secret": "kept"})
    assert answer.status_code in (404, 405) and "kept" not in answer.text


@pytest.mark.parametrize(
    "path", ["/assets", "/assets/", "/.git/config", "/assets/../../pyproject.toml", "/%2e%2e/.env"]
)
def test_folders_are_not_listed_and_only_the_page_is_served(application: Application, path: str):
    with socket.create_connection(("127.0.0.1", application.port), SECONDS) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404"), answer[:200]
    assert b'.js"' not in answer or b"<script" in answer


HIDDEN = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("lengths", "body", "answers"),
    [
        (b"Content-Length: 0", b"", 2),
        # Of two lengths, that of the chunks counts (RFC 9112, section 6.3).
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN), 1),
        (b"Content-Length: 0\r\nContent-Length: %d" % len(HIDDEN), HIDDEN, 1),
        (b"Transfer-Encoding: chunked, identity", b"0\r\n\r\n" + HIDDEN, 1),
    ],
)
def test_no_request_hides_in_the_body_of_another(application: Application, lengths: bytes, body: bytes, answers: int):
    last = b"GET /api/nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", application.port), SECONDS) as client:
        client.sendall(b"POST /api/nowhere HTTP/1.1\r\nHost: localhost\r\n" + lengths + b"\r\n\r\n" + body + last)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.count(b"HTTP/1.1 ") == answers and b'"status":"ok"' not in answer


def test_a_silent_client_is_disconnected(application: Application):
    begun = {
        sent: socket.create_connection(("127.0.0.1", application.port)) for sent in (BEGUN_UPLOAD, *BEGUN_HEADERS)
    }
    deadline = time.monotonic() + PATIENCE_SECONDS
    for sent, connection in begun.items():
        connection.sendall(sent)
    answers = dict.fromkeys(begun, b"")
    for sent, connection in begun.items():
        connection.settimeout(max(1.0, deadline - time.monotonic()))
        # The server may disconnect before it has read everything.
        with connection.makefile("rb") as answer, suppress(ConnectionResetError):
            # Read until the server disconnects.
            answers[sent] = answer.read()
        connection.close()
    assert answers[BEGUN_UPLOAD].startswith(b"HTTP/1.1 408 ")
    assert [answers[sent] for sent in BEGUN_HEADERS] == [b""] * 4
    wait_for(lambda: not list((application.data / "uploads").glob("*.part")), 30, "nothing is left of the upload")


@pytest.fixture
def developed(application: Application, own_servers: dict[str, str], tmp_path: Path) -> Iterator[Application]:
    """Run the application under `reflex run`, in a copy of the page's folder, because it removes the build."""
    page = tmp_path / ".web"
    # Copy the packages' `build` folders too, and remove only the page's own.
    shutil.copytree(ROOT / ".web", page, symlinks=True)
    shutil.rmtree(page / "build")
    environment = {"REFLEX_WEB_WORKDIR": str(page), "REFLEX_BACKEND_PORT": str(free_port())}
    started = Application(WORKERS="1", ALLOWED_HOSTS="shop.example", AUTH="off", **environment, **own_servers)
    started.start("dev")
    yield started
    started.stop()
    started.remove()


def test_in_development_one_origin_serves_all(browser: Browser, developed: Application):
    """Vite serves the page, and forwards the websocket and the upload to the backend."""
    page = browser.new_context(base_url=developed.url).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda websocket: asked.append(websocket.url.replace("ws://", "http://")))
    # Vite bundles the page at its first visit.
    page.set_default_timeout(FIRST_VISIT_MILLISECONDS)
    answer = page.goto("/imports")
    assert answer is not None and answer.ok, answer and answer.text()
    page.get_by_test_id("import-file").wait_for()
    drop(page, b"sku,name,description\nDEV-1,x,y\n")
    expect(page.get_by_test_id("import-status")).to_have_text("completed", timeout=SECONDS)
    assert {url for url in asked if not url.startswith((f"{developed.url}/", "data:", "blob:"))} == set()
    assert any("/_upload" in url for url in asked) and any("/_event" in url for url in asked)
    page.context.close()
    for path in ("/", "/api/products"):
        assert developed.client.get(path, headers={"Host": "shop.example"}).status_code == 200
        assert developed.client.get(path, headers={"Host": "evil.example"}).status_code == 403
