"""How many presses of this process may be on their way at once: PRESSES_IN_FLIGHT.

Nobody waits for a slot inside the process, where the pages would not be answered meanwhile: what
finds none is accepted, and a worker sends it.
"""

from threading import BoundedSemaphore
from typing import Self

from django.conf import settings

_free = BoundedSemaphore(settings.PRESSES_IN_FLIGHT)


class Slot:
    """One of the slots if claimed; released at the end of `with`."""

    def __init__(self) -> None:
        self._is_held = False

    def claim(self) -> bool:
        """Take a slot without waiting. False: none is free."""
        self._is_held = _free.acquire(blocking=False)
        return self._is_held

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._is_held:
            _free.release()
