"""Every request has an ID, which its answer, its error page and all its log lines carry.

One line for each request. The address stands there without its query: what people search for is
theirs, and an identity provider hands over codes in it.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.core.signals import request_finished
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase

from dashboard.serving import logs
from routines.values.redaction import redact

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
_LONGEST_PATH = 300


class RequestLogMiddleware:
    """The outermost one: it sees what all others answer, and their failures as answers, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        # Made here, never taken over from a header: nobody else chooses what the log says.
        request_id = secrets.token_hex(6)
        # Until the request is over, and not until this returns: what Django logs of a failure, it
        # logs then.
        logs.request_id.set(request_id)
        response = self.get_response(request)
        response.headers[HEADER] = request_id
        if _is_streamed(request, response):
            content = _logged_at_its_end(response, request, started, request_id)
            response.streaming_content = content  # type: ignore[attr-defined]
        else:
            _log(request, response, started)
        return response


def _forget(**_signal: Any) -> None:
    logs.request_id.set("")


request_finished.connect(_forget, dispatch_uid="request log")


def _is_streamed(request: HttpRequest, response: HttpResponseBase) -> bool:
    """A file is for the server to send, and the content of a HEAD is never asked for."""
    is_file = isinstance(response, FileResponse)
    return response.streaming and not is_file and request.method != "HEAD"


def _logged_at_its_end(
    response: Any, request: HttpRequest, started: float, request_id: str
) -> Iterator[bytes]:
    """What is streamed, with its line at its end: only then it is known how long it took."""
    content = response.streaming_content

    def following() -> Iterator[bytes]:
        logs.request_id.set(request_id)
        try:
            yield from content
        finally:
            _log(request, response, started)
            logs.request_id.set("")

    return following()


def _log(request: HttpRequest, response: HttpResponseBase, started: float) -> None:
    facts = {
        "method": request.method,
        "path": redact(request.path)[:_LONGEST_PATH],
        "status": response.status_code,
        "ms": round((time.monotonic() - started) * 1000),
        "person": getattr(request, "person_in_the_log", "-"),
    }
    if "request-id" in response.headers:  # by which a program knows its call
        facts["request_id"] = response.headers["request-id"]
    logger.info("request", extra={"facts": facts})


def name_person(request: HttpRequest, username: str) -> None:
    """Sign-in says who asks, as soon as it knows: a log line costs no query of its own."""
    request.person_in_the_log = username  # type: ignore[attr-defined]
