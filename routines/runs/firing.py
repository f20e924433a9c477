"""A person's press of Run: one run, and at most one request.

It is sent at once, by the process that took it, while a place is free there: so the answer to the
click is the result. Otherwise the run waits as `accepted` until a worker sends it.
"""

import time
from dataclasses import dataclass
from typing import Any

from routines.models import Run
from routines.runs import sending
from routines.runs.accepting import accept
from routines.runs.slots import Slot


@dataclass(frozen=True)
class Press:
    """What a press of Run led to."""

    run: Run
    repeated: bool = False  # an earlier press with the same key made this run
    recorded: bool = True  # False: the answer could not be recorded; it is in the log


def fire(**intent: Any) -> Press:
    """Fire once for `key`; `intent` is what accepting.accept takes, but for the slot.

    Raise what that raises, and then nothing was recorded or sent.
    """
    with Slot() as slot:
        return fire_in(slot, **intent)


def fire_in(slot: Slot | None, **intent: Any) -> Press:
    """As `fire`, in this slot if it is free; without one a worker sends the run."""
    pressed = time.monotonic()
    accepted = accept(**intent, slot=slot)
    if accepted.token is not None:
        recorded = sending.send(accepted.run, accepted.token, claimed=pressed)
        return Press(accepted.run, recorded=recorded)
    sending.log(accepted.run, repeated=accepted.repeated)
    return Press(accepted.run, repeated=accepted.repeated)
