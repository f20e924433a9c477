"""The practice API as a server, as a trigger window to look at, and as a command."""

import io
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.core.management import CommandError, call_command

from routines.management.commands.practice_api import Command
from routines.practice_api import SPECIAL_ROUTINES, PracticeApi, PracticeServer
from routines.practice_api.rules import Answer, Request
from routines.values import tokens
from tests import certificates
from tests.dashboard.browsing import Page

ROUTINE_ID = "trig_window"
FIRE = f"/v1/claude_code/routines/{ROUTINE_ID}/fire"


@pytest.fixture
def api() -> PracticeApi:
    return PracticeApi()


@pytest.fixture
def server(api: PracticeApi) -> Iterator[PracticeServer]:
    with PracticeServer(api) as server:
        yield server


@pytest.fixture
def client(server: PracticeServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client


def good_headers(api: PracticeApi) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {api.token_for(ROUTINE_ID)}",
        "anthropic-version": "2023-06-01",
    }


def exchange(server: PracticeServer, sent: bytes) -> bytes:
    """All that comes back on one connection until the server closes it."""
    with socket.create_connection(("127.0.0.1", int(httpx.URL(server.url).port or 0))) as one:
        one.settimeout(5)
        one.sendall(sent)
        received = b""
        while chunk := one.recv(65_536):
            received += chunk
        return received


# --- The server ---


def test_it_listens_on_loopback_alone(server):
    with socket.socket() as elsewhere:
        elsewhere.settimeout(2)
        # Loopback as well, but another address: a server on all addresses would answer.
        assert elsewhere.connect_ex(("127.0.0.2", httpx.URL(server.url).port)) != 0


def test_a_connection_is_kept_for_the_next_request(api, server):
    request = f"POST {FIRE} HTTP/1.1\r\nHost: x\r\n".encode()
    last = request + b"Connection: close\r\n\r\n"
    received = exchange(server, request + b"\r\n" + last)
    assert received.count(b"HTTP/1.1 400") == 2
    assert api.requests == 2


BAD_BODIES = {
    "chunked": (b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b" 400 "),
    "length of letters": (b"Content-Length: many\r\n\r\n", b" 400 "),
    "negative length": (b"Content-Length: -1\r\n\r\n", b" 400 "),
    "too large": (b"Content-Length: 8388609\r\n\r\n", b" 413 "),
    "absurdly large": (b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n", b" 413 "),
}


@pytest.mark.parametrize(("end", "status"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_body_that_cannot_be_had_is_refused_and_the_connection_closed(api, server, end, status):
    received = exchange(server, f"POST {FIRE} HTTP/1.1\r\nHost: x\r\n".encode() + end)
    assert received.startswith(b"HTTP/1.1" + status)
    assert b"\r\nrequest-id: req_" in received
    assert b"\r\nConnection: close\r\n" in received
    assert received.count(b"HTTP/1.1") == 1
    assert api.sessions == []


def test_a_body_that_breaks_off_starts_nothing(api, server):
    headers = "".join(f"{name}: {value}\r\n" for name, value in good_headers(api).items())
    port = httpx.URL(server.url).port
    with socket.create_connection(("127.0.0.1", port)) as one:
        one.settimeout(5)
        one.sendall(f"POST {FIRE} HTTP/1.1\r\n{headers}Content-Length: 9\r\n\r\n{{}}".encode())
        one.shutdown(socket.SHUT_WR)
        assert one.recv(1) == b""
    assert api.sessions == []


def test_it_serves_https_with_a_certificate_of_ones_own(api, tmp_path):
    made = certificates.make(tmp_path)
    trusting = ssl.create_default_context(cafile=made.certificate)
    with (
        PracticeServer(api, tls=made.served) as server,
        httpx.Client(base_url=server.url, trust_env=False, verify=trusting) as client,
    ):
        assert server.url.startswith("https://")
        assert client.post(FIRE, headers=good_headers(api)).status_code == 200


def test_stopping_does_not_wait_for_a_routine_that_hangs(api, monkeypatch):
    answer, arrived = api.answer, threading.Event()

    def note(request: Request) -> Answer:
        arrived.set()
        given: Answer = answer(request)
        return given

    monkeypatch.setattr(api, "answer", note)
    headers = good_headers(api) | {"Authorization": f"Bearer {api.token_for('trig_practice_hang')}"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    path = FIRE.replace(ROUTINE_ID, "trig_practice_hang")
    with socket.socket() as waiting:
        waiting.settimeout(5)
        with PracticeServer(api) as server:
            waiting.connect(("127.0.0.1", httpx.URL(server.url).port))
            waiting.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode())
            assert arrived.wait(5)
        assert waiting.recv(1) == b""  # hung up on, without an answer


# --- What only a stand-in can tell ---


def test_it_lists_its_sessions_and_counts_its_requests(api, client):
    answer = client.post(FIRE, headers=good_headers(api), json={"text": "hello"}).json()
    client.post(FIRE)
    [session] = client.get("/practice/sessions").json()
    assert session["session_url"] == answer["claude_code_session_url"]
    assert (session["routine_id"], session["text"]) == (ROUTINE_ID, "hello")
    assert client.get("/practice/count").json() == {"requests": 2, "sessions": 1}


# --- The trigger window ---


def test_the_window_shows_url_token_and_the_command_to_copy(api, server, client):
    page = Page(client.get("/", params={"routine_id": ROUTINE_ID}))
    token = api.token_for(ROUTINE_ID)
    shown = [code.text for code in page.find("code") if code.inside[-1].tag == "dd"]
    assert shown == [f"{server.url}{FIRE}", token]
    [command] = page.find("pre")
    assert command.text.startswith(f"curl -X POST {server.url}{FIRE} \\\n")
    for header in (
        f"Authorization: Bearer {token}",
        "anthropic-beta: experimental-cc-routine-2026-04-01",
        "anthropic-version: 2023-06-01",
        "Content-Type: application/json",
    ):
        assert f'-H "{header}"' in command.text


def test_the_window_lists_every_special_routine(client):
    page = Page(client.get("/"))
    links = {link.text for link in page.find("a")}
    assert links == set(SPECIAL_ROUTINES)
    assert not page.find("pre")


def test_the_window_regenerates_and_revokes(api, client):
    before = api.token_for(ROUTINE_ID)
    window = {"routine_id": ROUTINE_ID}
    response = client.post("/practice/regenerate", data=window)
    assert (response.status_code, response.headers["location"]) == (303, "/?routine_id=trig_window")
    after = api.token_for(ROUTINE_ID)
    assert after != before
    assert after.startswith(tokens.PREFIX)
    client.post("/practice/revoke", data=window)
    shown = client.get("/", params=window).text
    assert "revoked: no token fires this routine" in shown
    assert client.post(FIRE, headers=good_headers(api)).status_code == 401


def test_markup_in_an_id_stays_text(client):
    evil = "trig_\"'><script>alert(1)</script>"
    page = Page(client.get("/", params={"routine_id": evil}))
    assert not page.find("script")
    assert {field.attributes["value"] for field in page.find("input")} == {evil}


# --- The command ---


def test_its_help_lists_every_special_routine():
    told = io.StringIO()
    Command().create_parser("manage.py", "practice_api").print_help(told)
    for routine_id, does in SPECIAL_ROUTINES.items():
        assert any(
            line.split() == [routine_id, *does.split()] for line in told.getvalue().split("\n")
        )


def test_it_prints_a_routines_token(capsys):
    call_command("practice_api", "--token-for", ROUTINE_ID)
    assert capsys.readouterr().out == f"{PracticeApi().token_for(ROUTINE_ID)}\n"


def test_a_port_that_is_taken_is_said(server):
    port = str(httpx.URL(server.url).port)
    with pytest.raises(CommandError, match=f"Port {port} of 127.0.0.1 cannot be had"):
        call_command("practice_api", "--port", port)


def test_a_port_that_cannot_be_is_said():
    with pytest.raises(CommandError, match=r"Port 65536 .*cannot be had"):
        call_command("practice_api", "--port", "65536")


def test_a_certificate_that_cannot_be_read_is_said(tmp_path):
    files = ["--tls-cert", str(tmp_path / "none.pem"), "--tls-key", str(tmp_path / "key.pem")]
    with pytest.raises(CommandError, match=r"certificate .*No such file"):
        call_command("practice_api", "--port", "0", *files)


@pytest.mark.parametrize("option", ["--tls-cert", "--tls-key"])
def test_half_a_certificate_is_none(tmp_path, option):
    with pytest.raises(CommandError, match="go together"):
        call_command("practice_api", "--port", "0", option, str(tmp_path / "one.pem"))


def test_it_serves_until_it_is_told_to_stop():
    options = ["--port", "0", "--require-beta", "--beta", "newer"]
    command = [sys.executable, "manage.py", "practice_api", *options]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONUNBUFFERED": "1",
    }
    with subprocess.Popen(
        command,
        cwd=Path(__file__).parents[3],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().removeprefix("Practice API at ").strip()
        headers = good_headers(PracticeApi())
        with httpx.Client(base_url=url, trust_env=False) as client:
            assert client.post(FIRE, headers=headers).status_code == 400
            newer = headers | {"anthropic-beta": "newer"}
            answer = client.post(FIRE, headers=newer, json={"text": "secret text"})
            assert answer.status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        log = process.stderr.read()
    request_id = answer.headers["request-id"]
    assert f"POST {FIRE} 200 {request_id}\n" in log
    assert "secret text" not in log
    assert headers["Authorization"].removeprefix("Bearer ") not in log
