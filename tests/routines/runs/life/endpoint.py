"""The endpoint, scripted, and its books: who asked it for what, and what may have come of it.

It stands in the place of `wire.ask`, so that everything above the socket is the real thing. What a
socket can do to a request is in NotSent and AnswerLost; tests/routines/wire has it for real.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from routines.values.reasons import Reason
from routines.wire import AnswerLost, Ended, NotSent, RawAnswer
from tests.hostile import envelope


@dataclass
class Request:
    """One call of the wire for a run; `text` tells which, since each intent has its own."""

    text: str
    run: int
    attempt: int
    host: str
    at: datetime  # by its host's clock
    left_at: float  # by the clock that nobody sets
    sent: Mapping[str, Any]  # routine_id, token, beta_version, api_version
    number: int
    is_under_way: bool = True
    may_have_started: bool = True  # until it is known better
    has_left: bool = True
    answered: "Kind | None" = None
    is_recorded: bool = False
    session: str = ""

    @property
    def request_id(self) -> str:
        return f"req_{self.number}"


def _raw(request: Request, status: int, body: Any, **headers: str) -> RawAnswer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"request-id": request.request_id, **headers}
    return RawAnswer(status, named, content, Ended.WHOLE, request.left_at)


def _session(request: Request, name: str = "") -> dict[str, str]:
    request.session = name or f"session_01LIFE{request.number}"
    return {
        "type": "routine_fire",
        "claude_code_session_id": request.session,
        "claude_code_session_url": f"https://claude.ai/code/{request.session}",
    }


def _fails(why: NotSent.Why) -> Callable[[Request], RawAnswer]:
    def act(_request: Request) -> RawAnswer:
        raise NotSent(why)

    return act


def _lost(*, timed_out: bool) -> Callable[[Request], RawAnswer]:
    def act(request: Request) -> RawAnswer:
        raise AnswerLost(timed_out=timed_out, left_at=request.left_at)

    return act


def _error(status: int, error_type: str, message: str, **headers: str) -> Any:
    return lambda request: _raw(request, status, envelope(error_type, message), **headers)


@dataclass(frozen=True)
class Kind:
    """One way for a request to end. What is said of it here is said again, not asked of the code.

    `wait`: what it asks for, of a 429. `may_follow`: an attempt anew may come after it.
    """

    reason: Reason
    act: Callable[[Request], RawAnswer] = field(repr=False)
    status: int | None = None
    left: bool = True
    may_have_started: bool = False
    may_follow: bool = False
    wait: timedelta | None = None
    asks_for_wait: bool = False  # by a Retry-After
    about_account: bool = False


def _not_sent(reason: Reason, why: NotSent.Why, *, may_follow: bool = True) -> Kind:
    return Kind(reason, _fails(why), left=False, may_follow=may_follow)


KINDS: dict[str, Kind] = {
    "session": Kind(
        Reason.SESSION_CREATED,
        lambda request: _raw(request, 200, _session(request)),
        200,
        may_have_started=True,
    ),
    "unreadable": Kind(
        Reason.UNREADABLE_ANSWER,
        lambda request: _raw(request, 200, b"<html>fine</html>"),
        200,
        may_have_started=True,
    ),
    "paused": Kind(
        Reason.PAUSED, _error(400, "invalid_request_error", "The routine is paused"), 400
    ),
    "token": Kind(Reason.TOKEN_REJECTED, _error(401, "authentication_error", "invalid token"), 401),
    "limit": Kind(
        Reason.LIMIT_REACHED,
        _error(429, "rate_limit_error", "Too many runs"),
        429,
        may_follow=True,
        wait=timedelta(minutes=1),
    ),
    "limit for 5 minutes": Kind(
        Reason.LIMIT_REACHED,
        _error(429, "rate_limit_error", "Too many runs", **{"retry-after": "300"}),
        429,
        may_follow=True,
        wait=timedelta(minutes=5),
        asks_for_wait=True,
    ),
    "limit of the account": Kind(
        Reason.LIMIT_REACHED,
        _error(429, "rate_limit_error", "Your account's usage", **{"retry-after": "90"}),
        429,
        may_follow=True,
        wait=timedelta(seconds=90),
        asks_for_wait=True,
        about_account=True,
    ),
    "limit that names a session": Kind(
        Reason.SESSION_NAMED,
        lambda request: _raw(
            request, 429, envelope("rate_limit_error", "Busy", **_session(request))
        ),
        429,
        may_have_started=True,
    ),
    "server error": Kind(
        Reason.SERVER_ERROR,
        _error(500, "api_error", "Internal"),
        500,
        may_have_started=True,
    ),
    "overloaded": Kind(
        Reason.OVERLOADED, _error(503, "overloaded_error", "Overloaded"), 503, may_follow=True
    ),
    "away": Kind(
        Reason.SERVER_ERROR,
        lambda request: _raw(request, 503, b"upstream"),
        503,
        may_have_started=True,
    ),
    "no connection": _not_sent(Reason.NO_CONNECTION, NotSent.Why.NO_CONNECTION),
    "no proxy": _not_sent(Reason.PROXY_UNREACHABLE, NotSent.Why.PROXY_UNREACHABLE),
    "unsendable": _not_sent(Reason.UNSENDABLE, NotSent.Why.UNSENDABLE, may_follow=False),
    "dropped": Kind(Reason.CONNECTION_LOST, _lost(timed_out=False), may_have_started=True),
    "hangs": Kind(Reason.NO_ANSWER, _lost(timed_out=True), may_have_started=True),
}


def session_of(other: str) -> Kind:
    """A 200 that names a session which is another run's."""
    return Kind(
        Reason.SESSION_CREATED,
        lambda request: _raw(request, 200, _session(request, other)),
        200,
        may_have_started=True,
    )


class Books:
    """Every request that came, or would have; and the first promise, kept request by request."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def of_text(self, text: str) -> list[Request]:
        return [one for one in self.requests if one.text == text]

    def of_attempt(self, run: int, attempt: int) -> list[Request]:
        return [one for one in self.requests if (one.run, one.attempt) == (run, attempt)]

    def open(self, request: Request) -> None:
        """A request is about to leave. Fail if it must not."""
        for earlier in self.of_text(request.text):
            assert not earlier.is_under_way, "two requests at once for one run"
            assert not earlier.may_have_started, "a request after one that may have started one"
        self.requests.append(request)

    def close(self, request: Request, kind: Kind) -> None:
        request.is_under_way = False
        request.answered = kind
        request.has_left = kind.left
        request.may_have_started = kind.may_have_started

    def lose(self, request: Request, *, left: bool) -> None:
        """Its process is gone; nobody knows whether it had left, but these books."""
        request.is_under_way = False
        request.has_left = request.may_have_started = left
