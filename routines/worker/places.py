"""Whose turn it is: which line of accepted runs gives its oldest to the next free place.

A line is a routine's. A routine whose sessions take their time would soon hold every place, so
some are kept back from whoever has a run in flight already.
"""

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from routines.runs.queue import Line


class Taken(NamedTuple):
    """A place with a run in flight; primary keys."""

    routine: int
    account: int


def choose(lines: Collection[Line], taken: Collection[Taken], places: int) -> Line | None:
    """The line of the account with the fewest in flight, then of such a routine, then the oldest.

    `places`: how many there are, `taken`: those that are not free. None: no line may take one.
    """
    free = places - len(taken)
    if free <= 0:
        return None
    of_routine = Counter(one.routine for one in taken)
    of_account = Counter(one.account for one in taken)
    kept_from_routine, kept_from_account = _kept_back(places)

    def may_take(line: Line) -> bool:
        if of_routine[line.routine]:
            return free > kept_from_routine
        return free > kept_from_account or not of_account[line.account]

    return min(
        filter(may_take, lines),
        key=lambda line: (of_account[line.account], of_routine[line.routine], line.oldest),
        default=None,
    )


def _kept_back(places: int) -> tuple[int, int]:
    """From a routine with a run in flight, and from the other routines of its account.

    A sixteenth and half of that: what is kept back is missing when much waits. Of few places one,
    if there is another, so that no account waits for a slow one; from eight on two, so that no
    routine does.
    """
    from_account = max(places // 32, min(1, places - 1))
    return max(places // 16, min(2, places // 4), from_account), from_account
