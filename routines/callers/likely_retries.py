"""Calls without an Idempotency-Key that look like a retry of an earlier one.

Nobody can tell a retry from a second intent with the same text: that is what the key is for. So
this is told as what it looks like, to help decide whether the caller should learn to send one.
"""

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from django.utils import timezone

from routines.models import ApiKey, Run
from routines.values.reasons import State

DAYS = 30
CLOSE = timedelta(minutes=10)
MOST = 5_000  # calls looked at, the newest: one stretch of the index run_of_api_key


@dataclass(frozen=True)
class Retries:
    """Of the `calls` without a key, how many look like a retry; `sessions`: and started one.

    `is_cut`: there are older ones, which were not looked at.
    """

    calls: int
    repeated: int
    sessions: int
    is_cut: bool = False


def of(api_key: ApiKey) -> Retries:
    since = timezone.now() - timedelta(days=DAYS)
    newest = list(
        Run.objects.filter(api_key=api_key, created_at__gt=since)
        .newest_first()
        .values_list("intent", "created_at", "state", "idempotency_key")[:MOST]
    )
    calls = [(intent, at, state) for intent, at, state, key in newest if not key]
    in_turn = sorted(calls)  # of each intent in the order of time
    states = [
        state
        for (before, before_at, _), (intent, at, state) in pairwise(in_turn)
        if intent and intent == before and at - before_at <= CLOSE
    ]
    is_cut = len(newest) == MOST
    return Retries(len(calls), len(states), states.count(State.STARTED), is_cut)
