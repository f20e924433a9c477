"""The endpoint's rules: a request in, an answer out. No sockets here."""

import base64
import hashlib
import json
import re
import secrets
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from routines.registry import header_versions
from routines.values import texts, tokens

_FIRE_PATH = re.compile(r"/v1/claude_code/routines/([^/]+)/fire", re.ASCII)
_ROUTINE_ID = re.compile(r"trig_[A-Za-z0-9_-]+", re.ASCII)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

SPECIAL_ROUTINES = {
    "trig_practice_paused": "400: the routine is paused",
    "trig_practice_401": "401: the token is not this routine's",
    "trig_practice_403": "403: the account has no access",
    "trig_practice_403_html": "403: an HTML challenge page of a proxy in front",
    "trig_practice_404": "404: no such routine",
    "trig_practice_429": "429: limit reached, Retry-After in seconds",
    "trig_practice_429_date": "429: limit reached, Retry-After as a date",
    "trig_practice_429_bare": "429: limit reached, no Retry-After",
    "trig_practice_500": "500: unexpected server error",
    "trig_practice_503": "503: overloaded",
    "trig_practice_529": "529: overloaded, as other endpoints say it",
    "trig_practice_slow": "200 after 5 seconds",
    "trig_practice_hang": "no answer at all",
}


@dataclass(frozen=True)
class Request:
    """`headers` has lower-case names; `body` is whole."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0  # seconds; infinite for a routine that hangs


@dataclass(frozen=True)
class Session:
    """A session that a fire made, as the endpoint alone would know it."""

    session_id: str
    session_url: str
    routine_id: str
    text: str
    request_id: str
    at: datetime


class Refused(Exception):
    """An error of the documented envelope."""

    def __init__(self, status: int, error_type: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.error_type, self.message = status, error_type, message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class PracticeApi:
    """What the endpoint knows: tokens, header versions, and the sessions it has made.

    Every well-formed routine ID exists, but for the special ones, and has one token at a time.
    """

    def __init__(
        self,
        *,
        known_betas: Collection[str] = (header_versions.BETA_VERSION,),
        require_beta: bool = False,
        delay: float = 0.0,
    ) -> None:
        """`delay` is in seconds, before each 200. `require_beta`: as older documentation says."""
        self.known_betas = set(known_betas)
        self.require_beta = require_beta
        self.delay = delay
        self.sessions: list[Session] = []
        self.requests = 0
        self._generations: dict[str, int] = {}
        self._revoked: set[str] = set()
        self._lock = threading.Lock()

    # --- What claude.ai's trigger window does ---

    def token_for(self, routine_id: str) -> str:
        """The one token that fires this routine now; the same in every process."""
        secret = f"{routine_id}:{self._generations.get(routine_id, 0)}".encode()
        digest = hashlib.sha256(b"practice token " + secret).digest()
        return tokens.PREFIX + "practice-" + base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def regenerate(self, routine_id: str) -> str:
        """Make a new token. Documented: the old one is dead at once."""
        with self._lock:
            self._generations[routine_id] = self._generations.get(routine_id, 0) + 1
            self._revoked.discard(routine_id)
        return self.token_for(routine_id)

    def revoke(self, routine_id: str) -> None:
        self._revoked.add(routine_id)

    def is_revoked(self, routine_id: str) -> bool:
        return routine_id in self._revoked

    # --- What the endpoint does ---

    def answer(self, request: Request) -> Answer:
        request_id = self._new_request()
        try:
            answer = self._fire(request, request_id)
        except Refused as refused:
            return _envelope(refused, request_id)
        return Answer(
            answer.status, answer.body, {"request-id": request_id} | answer.headers, answer.delay
        )

    def refuse(self, status: int, error_type: str, message: str) -> Answer:
        """For a request whose body cannot be had."""
        return _envelope(Refused(status, error_type, message), self._new_request())

    def _new_request(self) -> str:
        with self._lock:
            self.requests += 1
        return f"req_{secrets.token_hex(12)}"

    def _fire(self, request: Request, request_id: str) -> Answer:
        path = _FIRE_PATH.fullmatch(request.path)
        if path is None:
            raise Refused(404, "not_found_error", "Not found")
        if request.method != "POST":
            raise Refused(405, "invalid_request_error", "Method not allowed", Allow="POST")
        self._check_versions(request.headers)
        routine_id = path.group(1)
        if not _ROUTINE_ID.fullmatch(routine_id) or routine_id == "trig_practice_404":
            raise Refused(404, "not_found_error", f"No routine {routine_id}")
        self._check_token(request.headers, routine_id)
        text = _text(request)
        special = self._special(routine_id)
        if special is not None:
            return special
        session = self._start_session(routine_id, text, request_id)
        content = {
            "type": "routine_fire",
            "claude_code_session_id": session.session_id,
            "claude_code_session_url": session.session_url,
        }
        delay = 5.0 if routine_id == "trig_practice_slow" else self.delay
        return _json(200, content, {}, delay)

    def _check_versions(self, headers: Mapping[str, str]) -> None:
        version = headers.get("anthropic-version")
        if version is None:
            raise Refused(400, "invalid_request_error", "anthropic-version: header is required")
        if version != header_versions.API_VERSION:
            raise Refused(
                400, "invalid_request_error", f"anthropic-version: {version!r} is not a version"
            )
        beta = headers.get("anthropic-beta")
        if beta is None and self.require_beta:
            raise Refused(400, "invalid_request_error", "anthropic-beta: header is required")
        if beta is not None and beta not in self.known_betas:
            raise Refused(
                400, "invalid_request_error", f"Unexpected value {beta!r} for anthropic-beta"
            )

    def _check_token(self, headers: Mapping[str, str], routine_id: str) -> None:
        expected = f"Bearer {self.token_for(routine_id)}"
        given = headers.get("authorization", "")
        wrong = not secrets.compare_digest(given.encode("utf-8", "replace"), expected.encode())
        if wrong or self.is_revoked(routine_id) or routine_id == "trig_practice_401":
            raise Refused(401, "authentication_error", "Invalid bearer token")

    def _special(self, routine_id: str) -> Answer | None:
        if routine_id == "trig_practice_hang":
            return Answer(200, b"", delay=float("inf"))
        if routine_id == "trig_practice_403_html":
            page = b"<!doctype html><title>Just a moment...</title><h1>Checking your browser</h1>"
            return Answer(403, page, {"Content-Type": "text/html; charset=utf-8"})
        refused = {
            "trig_practice_paused": Refused(400, "invalid_request_error", "Routine is paused"),
            "trig_practice_403": Refused(
                403, "permission_error", "Routines are not enabled for this organization"
            ),
            "trig_practice_429": _limit_reached(Retry_After="120"),
            "trig_practice_429_date": _limit_reached(
                Retry_After=format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
            ),
            "trig_practice_429_bare": _limit_reached(),
            "trig_practice_500": Refused(500, "api_error", "Internal server error"),
            "trig_practice_503": Refused(503, "overloaded_error", "Overloaded"),
            "trig_practice_529": Refused(529, "overloaded_error", "Overloaded"),
        }.get(routine_id)
        if refused is not None:
            raise refused
        return None

    def _start_session(self, routine_id: str, text: str, request_id: str) -> Session:
        name = "session_01" + "".join(secrets.choice(_CROCKFORD) for _ in range(22))
        session = Session(
            session_id=name,
            session_url=f"https://claude.ai/code/{name}",
            routine_id=routine_id,
            text=text,
            request_id=request_id,
            at=datetime.now(UTC),
        )
        with self._lock:
            self.sessions.append(session)
        return session


def _text(request: Request) -> str:
    """The body's `text`. Documented: the body is optional, and so is its one field."""
    if not request.body:
        return ""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Refused(400, "invalid_request_error", "Content-Type must be application/json")
    try:
        content = json.loads(request.body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise Refused(400, "invalid_request_error", "could not parse request body as JSON")
    text = content.get("text", "")
    if not isinstance(text, str):
        raise Refused(400, "invalid_request_error", "text: Input should be a valid string")
    if len(text) > texts.MAX_CHARACTERS:
        raise Refused(
            400, "invalid_request_error", "text: String should have at most 65536 characters"
        )
    return text


def _envelope(refused: Refused, request_id: str) -> Answer:
    content = {
        "type": "error",
        "error": {"type": refused.error_type, "message": refused.message},
        "request_id": request_id,
    }
    return _json(refused.status, content, {"request-id": request_id} | refused.headers)


def _limit_reached(**headers: str) -> Refused:
    return Refused(429, "rate_limit_error", "Run limit reached for this routine", **headers)


def _json(
    status: int, content: dict[str, Any], headers: dict[str, str], delay: float = 0.0
) -> Answer:
    body = json.dumps(content).encode()
    return Answer(status, body, {"Content-Type": "application/json"} | headers, delay)
