"""Every possible answer of the endpoint, turned into one typed Answer. No network here.

The documented shapes are in docs/fire-api.md. Nothing about an answer is trusted: not its
status, its types, its encoding or its length.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from routines.values import session_links
from routines.values.reasons import MEANINGS, Reason, State
from routines.values.redaction import Redactor
from routines.values.tokens import Token
from routines.wire import AnswerLost, Ended, NotSent, RawAnswer

# A usage window may be a week long; anything beyond is a mistake of whoever sent it.
LONGEST_RETRY_AFTER = timedelta(days=7)


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

    @property
    def state(self) -> State:
        return MEANINGS[self.reason].state


def of_failure(failure: NotSent | AnswerLost) -> Answer:
    if isinstance(failure, AnswerLost):
        return Answer(Reason.NO_ANSWER if failure.timed_out else Reason.CONNECTION_LOST)
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


def of_response(raw: RawAnswer, *, token: Token, now: datetime | None = None) -> Answer:
    content = _json_object(raw.body)
    error = content.get("error")
    error = error if isinstance(error, dict) else {}

    redactor = Redactor(token)

    def kept(value: object, longest: int) -> str:
        return redactor.redact(value, longest=longest) if isinstance(value, str) else ""

    error_type = kept(error.get("type"), 100)
    message = kept(error.get("message"), 2_000)
    session_id = kept(content.get("claude_code_session_id"), 200)
    session_url = kept(content.get("claude_code_session_url"), 2_000)
    # By the message as it came: one that repeats the token says nothing any more.
    reason = _reason(raw, error_type, str(error.get("message", "")), session_id, session_url)
    if not message and MEANINGS[reason].state != State.STARTED:
        # Not the documented envelope: what did come helps whoever has to find out why.
        message = kept(raw.body.decode("utf-8", "replace"), 500)
    return Answer(
        reason=reason,
        http_status=raw.status,
        error_type=error_type,
        error_message=message,
        request_id=kept(raw.headers.get("request-id") or content.get("request_id"), 200),
        # Kept whatever the state: a session named by an odd answer may well exist.
        session_id=session_id,
        session_url=session_url,
        retry_after=_retry_after(raw.headers, now) if raw.status == 429 else None,
    )


def _reason(
    raw: RawAnswer, error_type: str, message: str, session_id: str, session_url: str
) -> Reason:
    if raw.status == 200:
        if session_links.is_safe(session_url):
            return Reason.SESSION_CREATED
        if session_id or session_url:
            return Reason.ODD_SESSION_URL
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


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):  # RecursionError: thousands of nested brackets
        return {}
    return content if isinstance(content, dict) else {}


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
