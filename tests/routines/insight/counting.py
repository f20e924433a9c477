"""What the tests of the counts share."""

from datetime import UTC, datetime
from uuid import uuid4

from django.db.models import Sum
from django.utils import timezone

from routines.insight import changes, progress, recounting
from routines.models import (
    Dimension,
    Grain,
    Run,
    RunCount,
)
from routines.values.reasons import MEANINGS, OPEN, Reason, State
from tests.factories import turn

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MANY = changes.STEP * 2 + 1
_OF_ROWS = (Dimension.ROUTINE, Dimension.ACCOUNT, Dimension.PERSON, Dimension.API_KEY)


def catch_up():
    for _ in progress.catch_up(pause=lambda _seconds: None):
        pass


def counted(dimension=Dimension.TIME, grain=Grain.DAY, by="key", **filters):
    """{key: {field: count}} without what is 0, once all is counted."""
    catch_up()
    rows = RunCount.objects.filter(dimension=dimension, grain=grain, **filters).values(by)
    sums = rows.annotate(**{f"n_{name}": Sum(name) for name in RunCount.COUNTS}).order_by()
    found = {
        row[by]: {name: row[f"n_{name}"] for name in RunCount.COUNTS if row[f"n_{name}"]}
        for row in sums
    }
    of_rows = dimension in _OF_ROWS
    return {int(key) if of_rows else key: counts for key, counts in found.items() if counts}


def wrong_counts():
    return sum(day.wrong for day in recounting.check())


def new_run(routine, person, reason=Reason.SESSION_CREATED, **values):
    """Not stored yet."""
    session = f"session_{uuid4().hex}" if MEANINGS[reason].state == State.STARTED else ""
    return Run(
        key=uuid4(),
        routine=routine,
        person=person,
        account=routine.account,
        api_version="2023-06-01",
        state=MEANINGS[reason].state,
        reason=reason,
        session_id=session,
        settled_at=None if MEANINGS[reason].state in OPEN else timezone.now(),
        **turn(MEANINGS[reason].state, timezone.now()) | values,
    )
