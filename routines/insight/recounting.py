"""Comparing the counts with the runs, a day at a time, and mending what differs.

Due after the triggers were missing for a while, or by command: the days that are still to be
compared stand in the database, so whatever interrupts it, it goes on from there.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Min, Q, QuerySet, Sum

from routines.insight.slots import first_kept, floor, slot_of, start_of
from routines.insight.tally import (
    Change,
    Key,
    Tally,
    add,
    lock,
    settled_runs,
    tally,
    waiting_changes,
)
from routines.models import Dimension, Grain, RecountDay, Run, RunCount


@dataclass
class Recounted:
    day: datetime  # its start, UTC
    runs: int
    wrong: int  # counts that were not as the runs say


def begin() -> None:
    """From now on, all days are to be compared."""
    RecountDay.objects.bulk_create(
        [RecountDay(slot=slot) for slot in _days()], ignore_conflicts=True
    )


def next_day() -> Recounted | None:
    """Compare one day, the newest first, and mend it.

    None if no day is left, or while another process writes counts.
    """
    with transaction.atomic():
        due = RecountDay.objects.order_by("-slot").first() if lock() else None
        if due is None:
            return None
        day, block = due.slot, floor(due.slot, Grain.BLOCK)
        recounted = _compare_day(day, mend=True)
        due.delete()
        if not RecountDay.objects.filter(slot__gte=block, slot__lt=day).exists():
            recounted.wrong += _compare_block(block, mend=True)
    return recounted


def check() -> Iterator[Recounted]:
    """Each day, compared and left as it is."""
    blocks = set()
    for day in _days():
        block = floor(day, Grain.BLOCK)
        with transaction.atomic():
            lock(wait=True)
            recounted = _compare_day(day, mend=False)
            if block not in blocks:
                blocks.add(block)
                recounted.wrong += _compare_block(block, mend=False)
        yield recounted


def _days() -> range:
    """All that hold runs or counts."""
    counted = _stored(grain=Grain.DAY).aggregate(first=Min("slot"), last=Max("slot"))
    pressed = Run.objects.aggregate(first=Min("created_at"), last=Max("created_at"))
    found = [*counted.values(), *(moment and slot_of(moment) for moment in pressed.values())]
    slots = [slot for slot in found if slot is not None]
    if not slots:
        return range(0)
    return range(floor(min(slots), Grain.DAY), max(slots) + 1, Grain.DAY)


def _compare_day(day: int, *, mend: bool) -> Recounted:
    of_day = {"created_at__gte": start_of(day), "created_at__lt": start_of(day + Grain.DAY)}
    runs = settled_runs().filter(**of_day)
    # The counts say what the runs say, but for the changes that wait. Both in one query, so that
    # they are of the same moment.
    waiting = waiting_changes(sign=-1).filter(**of_day, deleted=False)
    rows = [Change(*row) for row in runs.union(waiting, all=True)]
    right = {key: counts for key, counts in tally(rows).items() if key[1] != Grain.BLOCK}
    forgotten = ~Q(dimension=Dimension.TIME) & Q(grain=Grain.HALF_HOUR, slot__lt=first_kept())
    stored = _stored(grain__in=[Grain.HALF_HOUR, Grain.DAY]).exclude(forgotten)
    wrong = _compare(right, stored.filter(slot__gte=day, slot__lt=day + Grain.DAY), mend=mend)
    return Recounted(start_of(day), len(rows), wrong)


def _compare_block(block: int, *, mend: bool) -> int:
    """With its days."""
    days = _stored(grain=Grain.DAY).filter(slot__gte=block, slot__lt=block + Grain.BLOCK)
    sums = days.values_list("dimension", "key").annotate(*map(Sum, RunCount.COUNTS)).order_by()
    right = {
        (dimension, Grain.BLOCK.value, block, key, False): _counts(values)
        for dimension, key, *values in sums
    }
    return _compare(right, _stored(grain=Grain.BLOCK).filter(slot=block), mend=mend)


def _stored(**grains: Any) -> QuerySet[RunCount]:
    """By dimension, since the index begins with it."""
    return RunCount.objects.filter(dimension__in=Dimension.values, deleted=False, **grains)


def _counts(values: Iterable[int]) -> Counter[str]:
    return Counter(dict(zip(RunCount.COUNTS, values, strict=True)))


def _compare(right: Tally, stored: QuerySet[RunCount], *, mend: bool) -> int:
    """How many rows are not as `right` says."""
    found: Tally = {}
    pks: dict[Key, int] = {}
    for pk, *values in stored.values_list("pk", *RunCount.KEYS, *RunCount.COUNTS):
        dimension, grain, slot, name, deleted, *counts = values
        key = (dimension, grain, slot, name, deleted)
        found[key], pks[key] = _counts(counts), pk
    # Counters are equal if they differ by zeros alone.
    wrong = {
        key
        for key in found.keys() | right.keys()
        if found.get(key, Counter()) != right.get(key, Counter())
    }
    if wrong and mend:
        RunCount.objects.filter(pk__in=[pks[key] for key in wrong & pks.keys()]).delete()
        add({key: right[key] for key in wrong & right.keys()})
    return len(wrong)
