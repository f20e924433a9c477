"""The answer to bytes that are no request, in place of gunicorn's: it repeats what it could not
read, a key among it, and in HTML, which no program expects.

Nobody knows yet which door or page was meant, so there is one shape for all: the envelope of the
fire-compatible door, whose sentence a person can read as well.
"""

import json
import secrets
from http import HTTPStatus
from typing import NamedTuple

from gunicorn.http import errors


class Problem(NamedTuple):
    status: HTTPStatus
    sentence: str
    is_ours: bool = False


_NO_REQUEST = Problem(
    HTTPStatus.BAD_REQUEST,
    "This could not be read as a request of HTTP/1.1. Nothing was done or sent. Look at its first "
    "line and its headers.",
)
_BROKEN = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Something broke in the dashboard. Whether a session was started is not known: repeat the call "
    "with the same Idempotency-Key; without one, do not fire again before a person has looked at "
    "the history.",
    is_ours=True,
)
_OF: dict[type[Exception], Problem] = {
    errors.LimitRequestLine: Problem(
        HTTPStatus.REQUEST_URI_TOO_LONG,
        "The address of this request is too long. Nothing was done or sent. Shorten it.",
    ),
    errors.LimitRequestHeaders: Problem(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The headers of this request are too long or too many. Nothing was done or sent. Send "
        "fewer; in a browser, delete the cookies of this address.",
    ),
    errors.ExpectationFailed: Problem(
        HTTPStatus.EXPECTATION_FAILED,
        "Of Expect, only 100-continue is known here. Nothing was done or sent.",
    ),
    errors.UnsupportedTransferCoding: Problem(
        HTTPStatus.NOT_IMPLEMENTED,
        "Of Transfer-Encoding, only chunked is known here. Nothing was done or sent.",
    ),
}
_OURS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)


def problem_with(failure: Exception) -> Problem:
    if isinstance(failure, _OURS) or not isinstance(failure, errors.ParseException):
        return _BROKEN
    return _OF.get(type(failure), _NO_REQUEST)


def answer(problem: Problem) -> bytes:
    """The whole answer, as it goes over the connection, which ends with it."""
    kind = "api_error" if problem.is_ours else "invalid_request_error"
    request_id = f"req_{secrets.token_hex(6)}"
    content = json.dumps(
        {
            "type": "error",
            "error": {"type": kind, "message": problem.sentence},
            "request_id": request_id,
        }
    )
    head = (
        f"HTTP/1.1 {problem.status.value} {problem.status.phrase}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        f"request-id: {request_id}",
    )
    return "\r\n".join([*head, "", content]).encode("ascii")
