"""What one request can come to: an answer, an answer that got lost, or nothing sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Ended(Enum):
    """How the reading of an answer's body ended."""

    WHOLE = "whole"
    TOO_LARGE = "too large"
    TIMED_OUT = "timed out"
    CONNECTION_LOST = "connection lost"


@dataclass(frozen=True)
class RawAnswer:
    """An answer as it came: header names in lower case, body decompressed, cut at the cap.

    `left_at`: when the request's first byte left, by time.monotonic(); in AnswerLost, too.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    ended: Ended
    left_at: float | None = field(default=None, compare=False)


class NotSent(Exception):
    """No byte of the request left this machine. `detail` is a sentence of ours, or empty."""

    class Why(Enum):
        NO_CONNECTION = "no connection"
        TLS_FAILED = "TLS failed"
        UNSENDABLE = "unsendable"
        # The proxy that the request should have gone through:
        PROXY_UNREACHABLE = "proxy not reached"
        PROXY_SIGN_IN = "proxy wants another user or password"
        PROXY_REFUSED = "proxy refused"
        PROXY_FAILED = "proxy reached no endpoint"

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(why.value)
        self.why = why
        self.detail = detail


class AnswerLost(Exception):
    """The request left, at least in part, and not even an answer's head came back."""

    def __init__(self, *, timed_out: bool, left_at: float | None = None) -> None:
        super().__init__("timed out" if timed_out else "connection lost")
        self.timed_out = timed_out
        self.left_at = left_at
