"""Changes of runs that triggers noted, and adding them to the counts, some at a time."""

from django.db import transaction

from routines.insight.slots import first_kept
from routines.insight.tally import Change, add, lock, tally, waiting_changes
from routines.models import Dimension, Grain, RunChange, RunCount

# Applied in one transaction, so that a look at the page waits for no more, and a press of Run that
# comes meanwhile neither.
STEP = 500
_HALF_HOURS = 5  # at most so many half hours that are not kept for ever come with a change


def apply() -> int:
    """Add the oldest STEP changes to the counts: as many as were added.

    None while another process is at it.
    """
    if not RunChange.objects.exists():
        return 0
    with transaction.atomic():
        if not lock():
            return 0
        found = waiting_changes("pk").order_by("pk")[:STEP]
        changes, pks = [], []
        for *change, pk in found:
            changes.append(Change(*change))
            pks.append(pk)
        add(tally(changes))
        RunChange.objects.filter(pk__in=pks).delete()
        _forget_half_hours(most=_HALF_HOURS * len(pks))
    return len(pks)


def _forget_half_hours(*, most: int) -> None:
    """As many as may have come: so there are never more of them, and one look has little to do."""
    dimensions = [one for one in Dimension if one != Dimension.TIME]
    old = RunCount.objects.filter(
        dimension__in=dimensions, grain=Grain.HALF_HOUR, slot__lt=first_kept()
    )
    RunCount.objects.filter(pk__in=old.values("pk")[:most]).delete()
