"""The fire-compatible door as it is served: gunicorn, real sockets, the practice API behind it."""

import json
import re
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import pytest

from routines.practice_api import PracticeServer
from tests.routines.practice_api.test_server import BAD_BODIES
from tests.server.endpoint import listening
from tests.server.product import Database, Product, copied, environment, serving, wait_until
from tests.server.seed import SLUG

SETTINGS = {"WEB_WORKERS": "1", "WEB_THREADS": "8"}  # of four slots, programs have two
_MAKE_A_KEY = """
import django
django.setup()
from uuid import uuid4
from routines.callers import keys
from routines.models import Routine
from tests.factories import create_admin
admin, routine = create_admin(username=uuid4().hex), Routine.objects.get(slug="release-notes")
caps = {"hourly_cap": 500, "daily_cap": 500, "sends_idempotency_key": False}
terms = keys.Terms(name=uuid4().hex, routines=[routine], **caps)
print(keys.make(terms, person=None, by=admin)[1].reveal())
"""


@dataclass
class Served:
    """Started once for all tests here that leave nothing behind but runs."""

    database: Database
    endpoint: PracticeServer
    product: Product
    key: str


@pytest.fixture(scope="module")
def served(
    seeded: Database, tmp_path_factory: pytest.TempPathFactory, signals_reach_the_product: None
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("door")
    database = copied(seeded, folder) if seeded.is_sqlite else seeded
    key = make_a_key(database)
    with (
        PracticeServer() as endpoint,
        serving(database, endpoint.url, folder, **SETTINGS) as product,
    ):
        yield Served(database, endpoint, product, key)


@pytest.fixture
def product(served: Served) -> Product:
    return served.product


@pytest.fixture
def endpoint(served: Served) -> PracticeServer:
    served.endpoint.api.requests = 0
    served.endpoint.api.sessions.clear()
    return served.endpoint


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """Of the database that the test serves: one of its own, or the one that all here share."""
    if "database" in request.fixturenames:
        return make_a_key(request.getfixturevalue("database"))
    served: Served = request.getfixturevalue("served")
    return served.key


def make_a_key(database: Database) -> str:
    settings = environment(database, "http://127.0.0.1:9", port=8000)
    settings["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    made = subprocess.run(
        [sys.executable, "-c", _MAKE_A_KEY],
        env=settings,
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip()


def path(reference: str = SLUG) -> str:
    return f"/v1/claude_code/routines/{reference}/fire"


def call(product: Product, key: str, text: str = "An alert.", **headers: str) -> httpx.Response:
    sent = {"Authorization": f"Bearer {key}"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{product.url}{path()}", json={"text": text}, headers=sent, timeout=60)


class Raw:
    """What was answered to bytes as they stand."""

    def __init__(self, product: Product, sent: bytes, *, ends: bool = False) -> None:
        url = httpx.URL(product.url)
        with socket.create_connection((url.host, url.port or 0), timeout=60) as client:
            client.sendall(sent)
            if ends:
                client.shutdown(socket.SHUT_WR)
            said = HTTPResponse(client, method=sent.partition(b" ")[0].decode())
            said.begin()
            self.status, self.body = said.status, said.read()
            self.headers = {name.lower(): value for name, value in said.getheaders()}

    @property
    def message(self) -> str:
        content = json.loads(self.body)
        assert self.headers["content-type"] == "application/json"
        assert content["request_id"] == self.headers["request-id"]
        said: str = content["error"]["message"]
        return said


def head(key: str, *lines: str, method: str = "POST", target: str = "", http: str = "1.1") -> bytes:
    known = ["Host: 127.0.0.1", f"Authorization: Bearer {key}", "Content-Type: application/json"]
    first = f"{method} {target or path()} HTTP/{http}"
    return "\r\n".join([first, *known, *lines, "", ""]).encode()


# --- As documented ---


def test_the_documented_curl_works_with_another_host_and_another_token(product, endpoint, key):
    """docs/api.md shows the endpoint's own command; nothing but these two is changed in it."""
    page = Path("docs/api.md").read_text()
    [command] = re.findall(
        r"^    (curl -X POST https://api\.anthropic\.com.*?)\n\n", page, re.S | re.M
    )
    command = command.replace("https://api.anthropic.com", product.url)
    command = command.replace("trig_01ABCDEFGHIJKLMNOPQRSTUV", SLUG)
    command = re.sub(r"sk-ant-oat01-\S+?(?=\")", key, command)
    told = subprocess.run(
        [*shlex.split(command.replace("\\\n", " ")), "--silent", "--include"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    said, _, body = told.replace("\r\n", "\n").partition("\n\n")
    [session] = endpoint.api.sessions
    assert said.startswith("HTTP/1.1 200 OK\n")
    assert json.loads(body) == {
        "type": "routine_fire",
        "claude_code_session_id": session.session_id,
        "claude_code_session_url": session.session_url,
    }
    assert session.text == "Sentry alert SEN-4521 fired in prod."
    request_id = re.findall(r"^request-id: (\w+)$", said, re.M)
    assert f"request_id={request_id[0]}" in product.log.read_text()
    assert key not in product.log.read_text()


# --- Bodies ---

CHUNKED = "Transfer-Encoding: chunked"


def in_chunks(body: bytes, size: int = 7) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"


def test_a_body_that_comes_in_chunks_is_read(product, endpoint, key):
    """As Node's fetch sends a stream, and curl what it reads from a pipe."""
    answer = Raw(product, head(key, CHUNKED) + in_chunks(b'{"text": "In pieces."}'))
    assert answer.status == 200
    assert Raw(product, head(key, CHUNKED) + b"0\r\n\r\n").status == 200
    assert [session.text for session in endpoint.api.sessions] == ["In pieces.", ""]


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        (in_chunks(b'{"text": "' + b"x" * 1_048_576, 65_536), 413, "1,048,576 bytes"),
        (b'16\r\n{"text": "In pieces."}\r\n', 408, "did not arrive whole"),
        (b'7\r\n{"text"', 408, "did not arrive whole"),
        (b"no size\r\n", 408, "did not arrive whole"),
    ],
    ids=["too large", "without an end", "within a chunk", "no chunk"],
)
def test_chunks_that_cannot_be_had_start_nothing(product, endpoint, key, sent, status, said):
    answer = Raw(product, head(key, CHUNKED) + sent, ends=status == 408)
    assert answer.status == status
    assert said in answer.message
    assert endpoint.api.requests == 0


# The practice API's own bad bodies; the door reads one of them.
BODIES = {
    "chunked": 200,
    "length of letters": 400,
    "negative length": 400,
    "too large": 413,
    "absurdly large": 400,  # more digits than a length has
}


@pytest.mark.parametrize("name", BODIES)
def test_what_the_practice_api_refuses_the_door_refuses(product, endpoint, key, name):
    assert BODIES.keys() == BAD_BODIES.keys()
    end, _ = BAD_BODIES[name]
    answer = Raw(product, head(key)[:-2] + end)
    assert answer.status == BODIES[name]
    assert endpoint.api.requests == (BODIES[name] == 200)


def test_a_body_that_is_shorter_than_it_says_starts_nothing(product, endpoint, key):
    answer = Raw(product, head(key, "Content-Length: 90") + b'{"text": "x"}', ends=True)
    assert answer.status == 408
    assert "did not arrive whole" in answer.message
    assert endpoint.api.requests == 0


def test_a_body_that_is_longer_than_it_says_is_cut_and_no_json(product, endpoint, key):
    answer = Raw(product, head(key, "Content-Length: 9") + b'{"text": "x"}')
    assert answer.status == 400
    assert "could not parse" in answer.message
    assert endpoint.api.requests == 0


# --- Ways to ask ---


@pytest.mark.parametrize("http", ["1.0", "1.1"])
def test_old_and_new_http(product, endpoint, key, http):
    sent = head(key, "Content-Length: 2", http=http) + b"{}"
    assert Raw(product, sent).status == 200
    assert len(endpoint.api.sessions) == 1


def test_a_caller_may_ask_first_whether_to_go_on(product, endpoint, key):
    url = httpx.URL(product.url)
    with socket.create_connection((url.host, url.port or 0), timeout=60) as client:
        client.sendall(head(key, "Expect: 100-continue", "Content-Length: 13"))
        assert client.recv(1_000).startswith(b"HTTP/1.1 100 Continue")
        client.sendall(b'{"text": "x"}')
        said = HTTPResponse(client)
        said.begin()
        assert said.status == 200
    assert endpoint.api.sessions[0].text == "x"


@pytest.mark.parametrize(
    "target",
    [
        f"http://127.0.0.1{path()}",
        path().replace("release-notes", "release%2Dnotes"),
        path().replace("/v1/", "/%76%31/"),
        f"{path()}?x=1",
    ],
)
def test_an_address_may_be_spelled_otherwise(product, endpoint, key, target):
    assert Raw(product, head(key, "Content-Length: 0", target=target)).status == 200
    assert len(endpoint.api.sessions) == 1


@pytest.mark.parametrize(
    "target", [f"/{path()}", path() + "/", path(f"x/../{SLUG}"), path(f"{SLUG}%2F"), "/v1"]
)
def test_another_address_is_not_found_in_the_envelope(product, endpoint, key, target):
    answer = Raw(product, head(key, "Content-Length: 0", target=target))
    assert answer.status == 404
    assert answer.message
    assert endpoint.api.requests == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_never_fires(product, endpoint, key, method):
    answer = Raw(product, head(key, method=method))
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert (answer.body == b"") == (method == "HEAD")
    assert endpoint.api.requests == 0


@pytest.mark.parametrize("name", ["Authorization", "Idempotency-Key"])
def test_a_header_that_comes_twice_is_refused(product, endpoint, key, name):
    twice = ["Idempotency-Key: a", f"{name}: Bearer {key}", "Content-Length: 0"]
    answer = Raw(product, head(key, *twice))
    assert answer.status == (401 if name == "Authorization" else 400)
    assert endpoint.api.requests == 0


# --- Waiting ---


def in_threads(number: int, act: Any) -> tuple[list[threading.Thread], list[Any]]:
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda at=at: answers.append(act(at))) for at in range(number)
    ]
    for thread in threads:
        thread.start()
    return threads, answers


def test_programs_that_wait_leave_the_pages_and_the_presses_their_places(database, tmp_path, key):
    with (
        listening() as (endpoint, url),
        serving(database, url, tmp_path, **SETTINGS) as product,
    ):
        visitor = product.visitor()
        form = visitor.form(SLUG)
        with endpoint.holding():
            threads, answers = in_threads(10, lambda at: call(product, key, f"Alert {at}"))
            wait_until(lambda: len(answers) == 8)  # two wait on the endpoint, in their slots
            assert [answer.status_code for answer in answers] == [202] * 8
            assert all("/api/runs/" in answer.headers["Location"] for answer in answers)
            for page in ("/", "/history/"):
                assert visitor.client.get(page).status_code == 200
            pressing, pressed = in_threads(1, lambda _: visitor.press(SLUG, form))
            wait_until(lambda: endpoint.requests == 3)  # a slot was left for the press
        for thread in [*threads, *pressing]:
            thread.join(60)
    assert [answer.status_code for answer in answers[8:]] == [200, 200]
    assert "Session created" in pressed[0].text


def test_presses_that_wait_send_a_program_on_its_way(database, tmp_path, key):
    with (
        listening() as (endpoint, url),
        serving(database, url, tmp_path, **SETTINGS) as product,
    ):
        visitor = product.visitor()
        forms = [visitor.form(SLUG) for _ in range(4)]
        with endpoint.holding():
            threads, _ = in_threads(4, lambda at: visitor.press(SLUG, forms[at]))
            wait_until(lambda: endpoint.requests == 4)
            answer = call(product, key)
            assert answer.status_code == 202
            assert answer.json()["run"]["state"] == "accepted"
        for thread in threads:
            thread.join(60)


def test_the_same_idempotency_key_waits_for_the_run_that_is_being_sent(database, tmp_path, key):
    with (
        listening() as (endpoint, url),
        serving(database, url, tmp_path, **SETTINGS) as product,
    ):
        with endpoint.holding():
            threads, answers = in_threads(1, lambda _: call(product, key, Idempotency_Key="one"))
            wait_until(lambda: endpoint.requests == 1)
            bounded = call(product, key, Idempotency_Key="one", Prefer="wait=1")
            more, repeated = in_threads(1, lambda _: call(product, key, Idempotency_Key="one"))
        for thread in [*threads, *more]:
            thread.join(60)
    assert bounded.status_code == 202
    assert bounded.headers["Preference-Applied"] == "wait=1"
    assert answers[0].json() == repeated[0].json()
    assert repeated[0].headers["Idempotent-Replayed"] == "true"
    assert endpoint.requests == 1


def test_a_caller_that_hangs_up_changes_nothing(database, tmp_path, key):
    with (
        listening() as (endpoint, url),
        serving(database, url, tmp_path, **SETTINGS) as product,
    ):
        address = httpx.URL(product.url)
        sent = head(key, "Idempotency-Key: one", "Content-Length: 13") + b'{"text": "x"}'
        with endpoint.holding():
            client = socket.create_connection((address.host, address.port or 0), timeout=60)
            client.sendall(sent)
            wait_until(lambda: endpoint.requests == 1)
            client.close()
        wait_until(lambda: database.states() == [("started", "session_created")])
        again = call(product, key, "x", Idempotency_Key="one")
    assert again.status_code == 200
    assert again.json()["claude_code_session_id"] == endpoint.sessions[0].session_id
    assert endpoint.requests == 1
