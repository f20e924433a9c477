"""A database that is away: growing pauses between the tries, and a line in the log now and then."""

import logging
import time
from collections.abc import Callable

from django.db import Error as DatabaseFailure

logger = logging.getLogger(__name__)

_SHORTEST, _LONGEST = 0.25, 5.0  # seconds
_SAY_EVERY = 60.0  # seconds


class Outage:
    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pause = 0.0
        self._said_at: float | None = None  # since the worker began

    @property
    def is_on(self) -> bool:
        return self._pause > 0

    def pause(self, failure: DatabaseFailure) -> float:
        """How many seconds to wait before the next try."""
        now = self._clock()
        if self._said_at is None or now - self._said_at >= _SAY_EVERY:
            self._said_at = now
            reason = str(failure).strip().partition("\n")[0] or type(failure).__name__
            logger.warning(
                "The database cannot be used; the worker tries again.",
                extra={"facts": {"reason": reason}},
            )
        self._pause = min(max(self._pause * 2, _SHORTEST), _LONGEST)
        return self._pause

    def is_over(self) -> None:
        """Called after each success."""
        if self._pause:
            self._pause = 0.0
            logger.info("The database can be used again.")
