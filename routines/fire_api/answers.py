"""Every possible answer of the endpoint, turned into one typed Answer. No network here.

The documented shapes are in docs/fire-api.md. Nothing about an answer is trusted: not its
status, its types, its encoding or its length.
"""

import json
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from routines.fire_api import named_sessions
from routines.fire_api.named_sessions import Named
from routines.values import session_links
from routines.values.reasons import MEANINGS, Reason, State
from routines.values.redaction import MESSAGE_REMOVED, Redactor
from routines.values.tokens import Token, contains_token
from routines.wire import AnswerLost, Ended, NotSent, RawAnswer

# A usage window may be a week long; anything beyond is a mistake of whoever sent it.
LONGEST_RETRY_AFTER = timedelta(days=7)
_OF_NAMES = string.ascii_letters + string.digits + "_-"


@dataclass(frozen=True)
class Answer:
    """What one fire came to. Its texts hold nothing of the token and can be stored."""

    reason: Reason
    http_status: int | None = None
    error_type: str = ""
    error_message: str = ""
    request_id: str = ""
    session_id: str = ""
    session_url: str = ""
    retry_after: timedelta | None = None
    # When the request's first byte left, by time.monotonic(); None: none did.
    left_at: float | None = field(default=None, compare=False)

    @property
    def state(self) -> State:
        return MEANINGS[self.reason].state


def of_failure(failure: NotSent | AnswerLost) -> Answer:
    if isinstance(failure, AnswerLost):
        reason = Reason.NO_ANSWER if failure.timed_out else Reason.CONNECTION_LOST
        return Answer(reason, left_at=failure.left_at)
    return Answer(
        {
            NotSent.Why.NO_CONNECTION: Reason.NO_CONNECTION,
            NotSent.Why.TLS_FAILED: Reason.TLS_FAILED,
            NotSent.Why.UNSENDABLE: Reason.UNSENDABLE,
            NotSent.Why.PROXY_UNREACHABLE: Reason.PROXY_UNREACHABLE,
            NotSent.Why.PROXY_SIGN_IN: Reason.PROXY_SIGN_IN,
            NotSent.Why.PROXY_REFUSED: Reason.PROXY_REFUSED,
            NotSent.Why.PROXY_FAILED: Reason.PROXY_FAILED,
        }[failure.why],
        error_message=failure.detail,
    )


def of_response(
    raw: RawAnswer, *, token: Token, sent: str = "", now: datetime | None = None
) -> Answer:
    """`sent`: the text of the request, which an error may repeat."""
    document = _json(raw.body)
    content = document if isinstance(document, dict) else {}
    error = content.get("error")
    error = error if isinstance(error, dict) else {}

    redactor = Redactor(token)

    def kept(value: object, longest: int) -> str:
        return redactor.redact(value, longest=longest) if isinstance(value, str) else ""

    error_type = kept(error.get("type"), 100)
    message = kept(error.get("message"), 2_000)
    request_id = kept(raw.headers.get("request-id") or content.get("request_id"), 200)
    body = raw.body.decode("utf-8", "replace")
    # Where it was broken off, the last word may be half a name: that of another session.
    read = body if raw.ended == Ended.WHOLE else body.rstrip(_OF_NAMES)
    named = named_sessions.find(document, read, raw.headers, sent=sent)
    session_url = kept(named.session_url, 2_000)
    if session_url != named.session_url:
        session_url = _without_what_follows(named.session_url, redactor) or session_url
    # By the message as it came: one that repeats the token says nothing any more.
    reason = _reason(raw, content, str(error.get("message", "")), named, session_url)
    if not message and MEANINGS[reason].state != State.STARTED:
        # Not the documented envelope: what did come helps whoever has to find out why.
        message = kept(body, 500)
    session_id = kept(named.session_id, 200)
    texts = {"error_type": error_type, "error_message": message, "request_id": request_id}
    if redactor.finds(" ".join([*texts.values(), session_id, session_url])):
        # A piece in each, and too much in all of them. What is surely a session's name stays.
        texts = dict.fromkeys(texts, "") | {"error_message": MESSAGE_REMOVED}
        if not session_links.is_name(session_id):
            session_id = ""
        if not session_links.is_safe(session_url):
            # A start has to name something.
            session_url = MESSAGE_REMOVED if MEANINGS[reason].state == State.STARTED else ""
    return Answer(
        reason=reason,
        http_status=raw.status,
        **texts,
        # Kept whatever the state: a session named by an odd answer may well exist.
        session_id=session_id,
        session_url=session_url,
        retry_after=_retry_after(raw.headers, now) if raw.status == 429 else None,
        left_at=raw.left_at,
    )


def _without_what_follows(url: str, redactor: Redactor) -> str:
    """The address of the session alone, if the token stands only in what was put behind it."""
    found = re.match(session_links.ADDRESS + r"(?![A-Za-z0-9_-])", url, re.ASCII)
    if found is None or redactor.finds(found.group(1)) or contains_token(found.group(1)):
        return ""
    return found.group(0)


def _reason(
    raw: RawAnswer, content: Mapping[str, Any], message: str, named: Named, session_url: str
) -> Reason:
    error = content.get("error")
    error_type = error.get("type") if isinstance(error, dict) else None
    is_envelope = isinstance(error_type, str) and error_type != ""
    if raw.status == 200 and (named.is_documented or (named.is_read and not is_envelope)):
        return (
            Reason.SESSION_CREATED if session_links.is_safe(session_url) else Reason.ODD_SESSION_URL
        )
    reason = _reason_by_status(raw, str(error_type) if is_envelope else "", message)
    if MEANINGS[reason].state != State.REFUSED:
        return reason
    # "Nothing was started" would be said of an answer that says otherwise, or may.
    if named:
        return Reason.SESSION_NAMED
    return Reason.UNEXPECTED_ANSWER if _may_go_on_to_name_one(raw) else reason


def _may_go_on_to_name_one(raw: RawAnswer) -> bool:
    """The documented errors are short, so what does not come to its end is none of them."""
    if raw.ended == Ended.WHOLE:
        return False
    beginning = raw.body.lstrip()[:1]
    if raw.ended == Ended.TOO_LARGE:
        return beginning in (b"{", b"[")
    return b"session" in raw.body and _json(raw.body) is None


def _reason_by_status(raw: RawAnswer, error_type: str, message: str) -> Reason:
    if raw.status == 200:
        return {
            Ended.TIMED_OUT: Reason.NO_ANSWER,
            Ended.CONNECTION_LOST: Reason.CONNECTION_LOST,
        }.get(raw.ended, Reason.UNREADABLE_ANSWER)
    if raw.status == 400:
        return _bad_request(message)
    if raw.status == 403:
        return Reason.NO_ACCESS if error_type else Reason.BLOCKED
    if raw.status in _REFUSALS:
        return _REFUSALS[raw.status]
    if raw.status in (503, 529) and error_type == "overloaded_error":
        return Reason.OVERLOADED
    if raw.status >= 500:
        return Reason.SERVER_ERROR
    if 400 <= raw.status < 500 and error_type:
        # Not documented, but the endpoint itself says that it is an error.
        return Reason.OTHER_REFUSAL
    return Reason.UNEXPECTED_ANSWER


_REFUSALS = {
    401: Reason.TOKEN_REJECTED,
    404: Reason.NO_SUCH_ROUTINE,
    429: Reason.LIMIT_REACHED,
}


def _bad_request(message: str) -> Reason:
    """Documented causes of a 400; only the message tells them apart."""
    if re.search(r"\bpaused\b", message, re.IGNORECASE):
        return Reason.PAUSED
    if re.search(r"anthropic-(beta|version)|\b(beta|api|header)\W+version", message, re.IGNORECASE):
        return Reason.HEADER_VERSION
    if re.search(r"\btext\b", message, re.IGNORECASE) and re.search(
        r"65,?536|too long|at most|maximum|exceed", message, re.IGNORECASE
    ):
        return Reason.TEXT_TOO_LONG
    return Reason.BAD_REQUEST


def _json(body: bytes) -> Any:
    """None if it is no JSON, and of `null`."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # RecursionError: thousands of nested brackets
        return None


def _retry_after(headers: Mapping[str, str], now: datetime | None = None) -> timedelta | None:
    """Documented: seconds, or an HTTP date, or missing. Nonsense counts as missing."""
    value = headers.get("retry-after", "").strip()
    try:
        if re.fullmatch(r"[0-9]{1,12}", value):
            wait = timedelta(seconds=int(value))
        else:
            at = parsedate_to_datetime(value)
            wait = at.replace(tzinfo=at.tzinfo or UTC) - (now or datetime.now(UTC))
    except (ValueError, TypeError, OverflowError):
        return None
    return min(wait, LONGEST_RETRY_AFTER) if wait > timedelta(0) else None
