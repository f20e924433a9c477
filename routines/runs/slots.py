"""How many presses of this process may be on their way at once: PRESSES_IN_FLIGHT.

Nobody waits for a slot inside the process, where the pages would not be answered meanwhile: what
finds none is accepted, and a worker sends it. Programs wait in the same slots, but never in all of
them: a storm of their calls leaves half for people.
"""

from threading import BoundedSemaphore
from typing import Self

from django.conf import settings

_free = BoundedSemaphore(settings.PRESSES_IN_FLIGHT)
_free_for_programs = BoundedSemaphore(max(1, settings.PRESSES_IN_FLIGHT // 2))


class Slot:
    """One of the slots if claimed; released at the end of `with`."""

    def __init__(self, *, for_program: bool = False) -> None:
        self._needed = [_free_for_programs, _free] if for_program else [_free]
        self._held: list[BoundedSemaphore] = []

    def claim(self) -> bool:
        """Take a slot without waiting. False: none is free. One that is held already is enough."""
        for semaphore in self._needed[len(self._held) :]:
            if not semaphore.acquire(blocking=False):
                self._release()
                return False
            self._held.append(semaphore)
        return True

    def _release(self) -> None:
        while self._held:
            self._held.pop().release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._release()
