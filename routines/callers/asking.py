"""A call of a program becomes a run, once for its Idempotency-Key, or is turned away.

Nothing here knows of HTTP: the fire-compatible door, the API and the MCP endpoint all ask so.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.utils import timezone

from routines.callers import idempotency, turned_away
from routines.models import ApiKey, Routine, Run, WhyNoRun
from routines.runs import accepting, awaiting, caps, firing, limits, reopening, retrying, rules
from routines.runs.firing import Press
from routines.runs.slots import Slot
from routines.values.reasons import Reason

# For how long a run may wait for its turn if nobody waits for its answer.
_PROGRAMS_WAIT = timedelta(hours=1)

_CAPS = {caps.HOUR: WhyNoRun.HOURLY_CAP, caps.DAY: WhyNoRun.DAILY_CAP}
_OBSTACLES = {Reason.ON_HOLD: WhyNoRun.ON_HOLD, Reason.COOL_DOWN: WhyNoRun.COOL_DOWN}


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    `template`: what the text was rendered from, if it was; `given`: the values as they were sent;
    `values`: all that went in, kept with the run.
    """

    routine: Routine
    text: str
    idempotency_key: str = ""  # idempotency.read
    why: str = ""
    template: str = ""
    template_version: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    makes_none: bool = False  # its text is not known any more: it can only find an earlier run

    @property
    def intent(self) -> str:
        text = "" if self.template else self.text
        return idempotency.intent_of(
            self.routine, text=text, template=self.template, values=self.given, why=self.why
        )


class TurnedAway(Exception):
    """Nothing came of this call, and nothing was sent. The same Idempotency-Key may be used again.

    `obstacle`: what stands in the way, of ON_HOLD, COOL_DOWN and CLOSED; `cap`: the cap that is
    reached; `problems`: sentences by the name of what is missing or wrong.
    """

    def __init__(
        self,
        why: WhyNoRun,
        *,
        obstacle: limits.Obstacle | None = None,
        cap: caps.CapReached | None = None,
        problems: Mapping[str, str] | None = None,
        run: Run | None = None,
    ) -> None:
        super().__init__(why.label)
        self.why, self.obstacle, self.cap = why, obstacle, cap
        self.problems, self.run = dict(problems or {}), run


def ask(api_key: ApiKey, wish: Wish, *, wait: float | None) -> Press:
    """Make the run that `wish` asks for, or find the one that an earlier call made.

    One that started nothing, for a cause that may have passed since, gets another attempt.

    `wait`: seconds to wait for the outcome. None: for as long as a request of the endpoint may
    take. 0: the caller comes back for it, so its run waits out holds and tries again where nothing
    was started. Where more calls wait than may, the run is returned as it is, `accepted`.

    Raise TurnedAway, texts.TextRefused or accepting.RunNotRecorded.
    """
    try:
        return _ask(api_key, wish, wait)
    except TurnedAway as away:
        turned_away.note(api_key, away.why)
        raise


def was_asked(api_key: ApiKey, idempotency_key: str) -> bool:
    """Whether an earlier call with this Idempotency-Key made a run."""
    key = idempotency.run_key(api_key, idempotency_key)
    return bool(idempotency_key) and Run.objects.filter(key=key).exists()


def _ask(api_key: ApiKey, wish: Wish, wait: float | None) -> Press:
    if api_key.sends_idempotency_key and not wish.idempotency_key:
        raise TurnedAway(WhyNoRun.NO_IDEMPOTENCY_KEY)
    key = idempotency.run_key(api_key, wish.idempotency_key)
    longest = float(settings.FIRE_TIMEOUT)
    seconds = longest if wait is None else min(wait, longest)
    with Slot(for_program=True) as slot:
        earlier = _earlier(key) if wish.idempotency_key else None
        if earlier is not None:
            press = Press(earlier, repeated=True)
        elif wish.makes_none:
            raise TurnedAway(WhyNoRun.BAD_REQUEST)
        else:
            # Who waits for less than a request may take cannot be the one that sends it.
            sent_in = slot if seconds >= longest else None
            press = _fire(api_key, wish, key, sent_in, comes_back=wait == 0)
        if press.repeated:
            if press.run.intent != wish.intent:
                raise TurnedAway(WhyNoRun.OTHER_INTENT, run=press.run)
            press = replace(press, run=_asked_again(press.run, comes_back=wait == 0))
        if press.run.is_open and seconds > 0 and slot.claim():
            press = replace(press, run=_outcome(press.run, seconds=seconds))
    return press


def _outcome(run: Run, *, seconds: float) -> Run:
    try:
        return awaiting.outcome(run, seconds=seconds)
    except DatabaseFailure:
        return run  # recorded it is; the caller is told to look at it later


def _asked_again(run: Run, *, comes_back: bool) -> Run:
    """The run of an earlier call: as it is, or waiting for another attempt if its cause passes."""
    since = retrying.asked_again_from(run)
    if since is None or since > timezone.now() or not rules.fireable(run).exists():
        return run
    wait = _PROGRAMS_WAIT if comes_back else accepting.PEOPLE_WAIT
    with _said_as_turned_away():
        reopening.reopen(run, wait=wait, waits_out=comes_back)
    return run if run.is_open else _earlier(run.key) or run


def _earlier(key: UUID) -> Run | None:
    found = Run.objects.filter(key=key).order_by()
    # Asked first, and in few words: nearly every call is the first one with its key.
    if not found.exists():
        return None
    return found.select_related("routine__account", "person", "api_key").first()


def _fire(api_key: ApiKey, wish: Wish, key: UUID, slot: Slot | None, *, comes_back: bool) -> Press:
    intent: dict[str, Any] = {
        "key": key,
        "idempotency_key": wish.idempotency_key,
        "intent": wish.intent,
        "routine": wish.routine,
        "person": api_key.person,
        "api_key": api_key,
        "text": wish.text,
        "why": wish.why,
        "template_name": wish.template,
        "template_version": wish.template_version,
        "field_values": wish.values,
        "aware_of": None,
        "turns_away": True,
    }
    if comes_back:
        intent |= {"waits_out": True, "tries_again": True, "wait": _PROGRAMS_WAIT}
    try:
        with _said_as_turned_away():
            return firing.fire_in(slot, **intent)
    except accepting.KeyTaken:
        raise TurnedAway(WhyNoRun.OTHER_INTENT, run=_earlier(key)) from None


@contextmanager
def _said_as_turned_away() -> Iterator[None]:
    """What the rules of runs stop, said as why there is no run."""
    try:
        yield
    except rules.NotAllowed:
        raise TurnedAway(WhyNoRun.NOT_OPEN) from None
    except caps.NotUsable:
        raise TurnedAway(WhyNoRun.REVOKED) from None
    except caps.CapReached as reached:
        raise TurnedAway(_CAPS[reached.span], cap=reached) from None
    except accepting.AnswersMissing as missing:
        raise TurnedAway(WhyNoRun.ASKS_A_PERSON, problems=missing.problems) from None
    except accepting.TurnedAway as away:
        why = _OBSTACLES.get(away.obstacle.reason, WhyNoRun.CLOSED)
        raise TurnedAway(why, obstacle=away.obstacle) from None
