"""The practice API on a real socket: loopback only, HTTP/1.1 with connections kept alive."""

import json
import ssl
import sys
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from routines.practice_api import page
from routines.practice_api.rules import Answer, PracticeApi, Request

_MAX_BODY = 8 * 1024 * 1024


class PracticeServer:
    """`with PracticeServer(api) as server:` serves `api` at `server.url` until the block ends."""

    def __init__(
        self,
        api: PracticeApi | None = None,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        log: bool = False,
    ) -> None:
        """Port 0 takes a free one. Raise OSError."""
        self.api = api or PracticeApi()
        self.stopping = threading.Event()
        server = self

        class Handler(_Handler):
            api = server.api
            stopping = server.stopping
            logs = log
            base_url = ""

        self._http = _Server(("127.0.0.1", port), Handler)
        if tls is not None:
            self._http.socket = tls.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._http.server_address[1]}"
        Handler.base_url = self.url
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopping.set()  # wakes the routines that hang
        self._http.shutdown()
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # the whole answer in one write
    timeout = 60
    server_version = "PracticeAPI"
    sys_version = ""

    api: PracticeApi
    stopping: threading.Event
    logs: bool
    base_url: str

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/":
            asked = parse_qs(parts.query).get("routine_id", [""])[0].strip()
            self._send(_html(page.draw(self.api, self.base_url, asked)))
        elif parts.path == "/practice/sessions":
            self._send(_plain_json([asdict(session) for session in list(self.api.sessions)]))
        elif parts.path == "/practice/count":
            made = len(self.api.sessions)
            self._send(_plain_json({"requests": self.api.requests, "sessions": made}))
        else:
            self._answer()

    def do_POST(self) -> None:
        if self.path not in ("/practice/regenerate", "/practice/revoke"):
            self._answer()
            return
        body = self._body()
        routine_id = parse_qs((body or b"").decode("utf-8", "replace")).get("routine_id", [""])[0]
        act = self.api.regenerate if self.path.endswith("regenerate") else self.api.revoke
        act(routine_id)
        back = f"/?{urlencode({'routine_id': routine_id})}"
        self._send(Answer(303, b"", {"Location": back}))

    do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = lambda self: self._answer()

    def _answer(self) -> None:
        body = self._body()
        if body is None:
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = urlsplit(self.path).path
        answer = self.api.answer(Request(self.command, path, headers, body))
        if answer.delay == float("inf"):
            self.stopping.wait()
            self.close_connection = True
        elif not self.stopping.wait(answer.delay):
            self._send(answer)

    def _body(self) -> bytes | None:
        """The whole body; None if it cannot be had, and then the connection is closed."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isascii() or not length.isdigit():
            self._refuse_body(400, "invalid_request_error", "Content-Length is required")
            return None
        if len(length) > 9 or int(length) > _MAX_BODY:
            self._refuse_body(413, "request_too_large", "Request exceeds the maximum size")
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return None
        return body

    def _refuse_body(self, status: int, error_type: str, message: str) -> None:
        self.close_connection = True  # what was not read would be taken for the next request
        self._send(self.api.refuse(status, error_type, message))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()
        if self.logs:
            request_id = answer.headers.get("request-id", "-")
            print(self.command, self.path, answer.status, request_id, file=sys.stderr)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's
        """Nothing but what _send says: the default logs more than it knows to be harmless."""


def _html(text: str) -> Answer:
    return Answer(200, text.encode(), {"Content-Type": "text/html; charset=utf-8"})


def _plain_json(content: object) -> Answer:
    body = json.dumps(content, default=str).encode()
    return Answer(200, body, {"Content-Type": "application/json"})
