"""What a page says of a run that waits: what for, whether anything will send it, who may cancel it.

A page that shows an open run asks for its result every second. So it names what it shows, by a mark
that changes with it, and gets nothing as long as there is nothing new to read.
"""

from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from routines.models import Person, Run
from routines.runs import queue
from routines.values.reasons import Reason
from routines.worker import heartbeat


@dataclass(frozen=True)
class Shown:
    """What is said of a waiting run."""

    before: int  # runs whose turn comes earlier
    until: datetime | None  # its hold, cool-down or pause, should it wait for one
    on_hold: bool
    last_attempt: Reason | None  # how that ended, while it waits for the next one
    has_worker: bool  # else nothing sends it
    may_cancel: bool


def shown(run: Run, person: Person) -> Shown | None:
    """None if it does not wait. Needs the run's routine and account loaded; a few light queries."""
    if not run.is_waiting:
        return None
    waits = queue.waiting(run)
    last = None
    if run.reason == Reason.NEXT_ATTEMPT and waits.until and not waits.on_hold:
        last = run.attempts.order_by("-number").first()
    return Shown(
        before=waits.before,
        until=waits.until,
        on_hold=waits.on_hold,
        last_attempt=Reason(last.reason) if last else None,
        has_worker=heartbeat.is_any_alive(),
        may_cancel=queue.may_cancel(run, person),
    )


def mark(run: Run, shown: Shown | None) -> str:
    """What a page that shows this run names when it asks for news."""
    return f"{stage(run)}-{crc32(repr(shown).encode()):x}"


def stage(run: Run) -> str:
    """It changes when more of the run's own page does than its result."""
    return f"{run.state}{run.attempt}"
