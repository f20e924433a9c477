"""Two programs with API keys, a person's own key, and what they have called."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from uuid import UUID

from django.utils import timezone

from routines.callers import idempotency, keys
from routines.demo.content import ALERT_TRIAGE, DEPLOY_VERIFICATION
from routines.demo.past_runs import DAYS, settle
from routines.demo.shapes import DemoRoutine
from routines.models import ApiKey, ApiKeySecret, Person, Routine, Run, TurnedAway, WhyNoRun
from routines.people.roles import Role
from routines.registry import header_versions
from routines.values.reasons import Reason

_CALLING = 24  # days
_ENDED = {6: Reason.LIMIT_REACHED, 11: Reason.OVERLOADED}  # of fifteen calls; else all went well


@dataclass(frozen=True)
class DemoCaller:
    name: str
    routine: DemoRoutine
    text: str  # with the number of the call
    calls: int
    address: str
    sends_idempotency_key: bool = True
    role: Role | None = None  # whose own key it is
    retries: int = 0  # of the calls, a few minutes after another
    turned_away: tuple[tuple[WhyNoRun, int], ...] = ()


_CALLERS = (
    DemoCaller(
        name="Deploy pipeline",
        routine=DEPLOY_VERIFICATION,
        text="Deploy {} of the web app to production is done. Compare errors and latency.",
        calls=41,
        address="192.0.2.17",
        turned_away=((WhyNoRun.OTHER_INTENT, 1),),
    ),
    DemoCaller(
        name="Old monitoring script",
        routine=ALERT_TRIAGE,
        text='{{"alert": {}, "summary": "Error rate above 5 % for 10 minutes"}}',
        calls=28,
        address="192.0.2.40",
        sends_idempotency_key=False,
        retries=3,
        turned_away=((WhyNoRun.HOURLY_CAP, 7), (WhyNoRun.NOT_OPEN, 2)),
    ),
    DemoCaller(
        name="Script on my laptop",
        routine=ALERT_TRIAGE,
        text="Alert {} of my own service.",
        calls=4,
        address="198.51.100.8",
        sends_idempotency_key=False,
        role=Role.TEAMMATE,
    ),
)


def past_calls(
    rng: Random, people: dict[Role, Person], routines: dict[DemoRoutine, Routine]
) -> Iterator[Run]:
    """The callers' runs. Their keys are made here; nobody has seen a secret of them."""
    for caller in _CALLERS:
        api_key = _make(caller, people, routines[caller.routine])
        newest = None
        for run in _calls(rng, caller, api_key, routines[caller.routine]):
            newest = max(newest or run.created_at, run.created_at)
            yield run
        ApiKeySecret.objects.filter(api_key=api_key).update(
            last_used_at=newest, last_used_from=caller.address
        )


def _make(caller: DemoCaller, people: dict[Role, Person], routine: Routine) -> ApiKey:
    person = people[caller.role] if caller.role else None
    terms = keys.Terms(
        name=caller.name,
        all_routines=person is not None,
        routines=() if person else [routine],
        sends_idempotency_key=caller.sends_idempotency_key,
    )
    api_key, _ = keys.make(terms, person=person, by=person or people[Role.ADMIN])
    made = timezone.now() - timedelta(days=DAYS)
    ApiKey.objects.filter(pk=api_key.pk).update(created_at=made)
    ApiKeySecret.objects.filter(api_key=api_key).update(created_at=made)
    today, last_at = timezone.now().date(), timezone.now() - timedelta(minutes=50)
    for why, calls in caller.turned_away:
        TurnedAway.objects.create(api_key=api_key, day=today, why=why, calls=calls, last_at=last_at)
    return api_key


def _calls(rng: Random, caller: DemoCaller, api_key: ApiKey, routine: Routine) -> Iterator[Run]:
    now = timezone.now()
    for number in range(caller.calls):
        text = caller.text.format(4200 + number)
        at = now - timedelta(days=rng.uniform(0.4, _CALLING))
        times = 2 if number < caller.retries else 1
        for time in range(times):
            run = Run(
                key=UUID(int=rng.getrandbits(128), version=4),
                routine=routine,
                person=api_key.person,
                api_key=api_key,
                intent=idempotency.intent_of(routine, text=text),
                text=text,
                beta_version=header_versions.BETA_VERSION,
                api_version=header_versions.API_VERSION,
                created_at=at + timedelta(minutes=4 * time),
            )
            if caller.sends_idempotency_key:
                run.idempotency_key = f"deploy-{4200 + number}"
                run.key = idempotency.run_key(api_key, run.idempotency_key)
            settle(run, _ENDED.get(number % 15, Reason.SESSION_CREATED), rng)
            yield run
