"""A caller asks again for a run that started nothing, once the cause may have passed.

It is the same intent, so it is the same run: it waits for another attempt, and a worker sends it in
its turn. People press a form anew instead, which is a run of its own.
"""

import logging
from datetime import timedelta
from typing import Any

from django.db import Error as DatabaseFailure
from django.db import transaction
from django.utils import timezone

from routines import patience
from routines.models import Run
from routines.runs import caps, limits, queue, rules
from routines.runs.accepting import AnswersMissing, RunNotRecorded, TurnedAway
from routines.runs.naming import facts
from routines.values.reasons import Reason, State

logger = logging.getLogger(__name__)


def reopen(run: Run, *, wait: timedelta, waits_out: bool = False) -> bool:
    """Let it wait for another attempt, for so long at most. False: somebody else has, meanwhile.

    The rules of a first attempt stand in the way of this one; `waits_out` as accepting.accept has
    it. Needs its routine and account loaded. Raise AnswersMissing, TurnedAway, caps.NotUsable,
    caps.CapReached or RunNotRecorded, and then it stays as it is.
    """
    _check_rules(run, waits_out=waits_out)
    values: dict[str, Any] = {
        "state": State.ACCEPTED,
        "reason": Reason.NEXT_ATTEMPT if run.attempt else Reason.ACCEPTED,
        "settled_at": None,
        "asked_again_at": timezone.now(),
        "due_at": None,
        "deadline": timezone.now() + wait,
    }
    try:
        with patience.at_most(patience.ACCEPTING), transaction.atomic(durable=True):
            if run.api_key is not None:
                caps.check(run.api_key, besides=run)
            is_ours = _as_read(run).update(**values)
            if is_ours:
                queue.announce()
    except DatabaseFailure as failure:
        logger.error("run %s was not reopened: %s", run.pk, type(failure).__name__)
        raise RunNotRecorded from failure
    if is_ours:
        for name, value in values.items():
            setattr(run, name, value)
        logger.info("run asked for again", extra={"facts": facts(run)})
    return bool(is_ours)


def _check_rules(run: Run, *, waits_out: bool) -> None:
    problems = rules.missing_answers(
        run.routine, confirmation="", why=run.why, is_asked=rules.is_asked(run)
    )
    if problems:
        raise AnswersMissing(problems)
    obstacle = limits.obstacle(run.routine, limits.last_sent_of([run.routine]).get(run.routine_id))
    if obstacle is not None and not (waits_out and obstacle.until is not None):
        raise TurnedAway(obstacle)


def _as_read(run: Run) -> Any:
    # And whole: of a text that retention has shortened, no more than a line would be sent.
    read = {"state": run.state, "reason": run.reason, "attempt": run.attempt, "text_was": None}
    return Run.objects.filter(pk=run.pk, key=run.key, settled_at=run.settled_at, **read)
