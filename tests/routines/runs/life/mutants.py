"""Steps of the domain, each broken in one place: `old` in the source of `module` becomes `new`."""

import ast
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType

from routines.runs import (
    accepting,
    firing,
    limits,
    overdue,
    queue,
    recording,
    retrying,
    sending,
    settling,
)
from tests.routines.runs.life import scripts
from tests.routines.runs.life.life import Life


@dataclass(frozen=True)
class Mutant:
    name: str
    module: ModuleType
    old: str  # stands in the module once
    new: str
    script: Callable[[Life], None]  # a life that it leads astray

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Everybody who calls the function, by whatever name, calls the mutant."""
        source = Path(str(self.module.__file__)).read_text()
        assert source.count(self.old) == 1, f"{self.name}: {source.count(self.old)} times"
        changed = source.replace(self.old, self.new)
        name = _function_at(source, source.index(self.old))
        namespace = dict(vars(self.module))
        exec(compile(_definition(changed, name), self.name, "exec"), namespace)  # noqa: S102
        function = _innermost(vars(self.module)[name])
        before = function.__code__
        function.__code__ = _innermost(namespace[name]).__code__
        try:
            yield
        finally:
            function.__code__ = before


def _function_at(source: str, place: int) -> str:
    line = source.count("\n", 0, place) + 1
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    [name] = [one.name for one in functions if one.lineno <= line <= (one.end_lineno or 0)]
    return name


def _definition(source: str, name: str) -> str:
    [found] = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return textwrap.dedent(ast.get_source_segment(source, found) or "")


def _innermost(function: FunctionType) -> FunctionType:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function


_ROLLED = "recorded = sending.send(accepted.run, accepted.token, claimed=pressed)"
_ANSWERED = "recorded = recording.record_answer(run, answer, duration=time.monotonic() - claimed)"
_OURS = (
    "claimed = Run.objects.filter(pk=run.pk, key=run.key, state=State.SENDING, attempt=run.attempt)"
)
_MINE = "Run.objects.filter(pk=run.pk, state=State.SENDING, attempt=run.attempt)"
_WAITS = "Run.objects.filter(pk=run.pk, state=State.ACCEPTED, attempt=run.attempt)"

MUTANTS = [
    # Accepting.
    Mutant(
        "each request has a key of its own",
        accepting,
        "        key=key,\n",
        "        key=UUID(int=id(run_of_nobody := object())),\n",
        scripts.equal_keys,
    ),
    Mutant(
        "a key shows another's run",
        accepting,
        "if (earlier.routine, earlier.person, earlier.api_key) != (routine, person, api_key):",
        "if False:",
        scripts.the_key_of_another,
    ),
    Mutant(
        "sent without a place",
        accepting,
        "not (slot is not None and slot.claim())",
        "not (slot is not None and (slot.claim() or True))",
        scripts.all_places_taken,
    ),
    Mutant(
        "sent within a transaction",
        firing,
        _ROLLED,
        f"with __import__('django.db').db.transaction.atomic(): {_ROLLED}",
        scripts.a_press,
    ),
    # The turn.
    Mutant(
        "a press under a hold",
        limits,
        "if held_until is not None:",
        "if False:",
        scripts.presses_under_a_hold,
    ),
    Mutant(
        "held runs are in line",
        queue,
        ".exclude(held)",
        "",
        scripts.waiting_under_a_hold,
    ),
    Mutant(
        "no hold after a 429",
        limits,
        "answer.reason != Reason.LIMIT_REACHED",
        "True",
        scripts.lifted,
    ),
    Mutant(
        "claimed whatever its state",
        queue,
        _WAITS,
        "Run.objects.filter(pk=run.pk)",
        scripts.cancelled_in_between,
    ),
    Mutant(
        "cancelled whatever its state",
        queue,
        "is_cancelled = _change(run, values)",
        "is_cancelled = bool(Run.objects.filter(pk=run.pk).update(**values))",
        scripts.cancelled_too_late,
    ),
    Mutant(
        "claimed after its deadline",
        queue,
        "if overdue.is_too_late(run):",
        "if False:",
        scripts.too_late,
    ),
    Mutant(
        "claimed though disabled",
        queue,
        "if obstacle is not None:",
        "if obstacle is not None and obstacle.until is not None:",
        scripts.disabled,
    ),
    Mutant(
        "claimed for somebody who may not",
        queue,
        "if has_left or is_over or not rules.fireable(run).exists():",
        "if False:",
        scripts.not_allowed,
    ),
    Mutant(
        "the account of before pays",
        queue,
        '        "account": run.routine.account,\n',
        "",
        scripts.moved,
    ),
    Mutant(
        "sent with the versions of before",
        queue,
        "if not run.is_trial:",
        "if False:",
        scripts.other_version,
    ),
    Mutant(
        "claimed while cooling down",
        queue,
        "last_sent = limits.last_sent_of([run.routine]).get(run.routine_id)",
        "last_sent = None",
        scripts.cooling_meanwhile,
    ),
    Mutant(
        "the newest first",
        queue,
        '.order_by("pk").first()',
        '.order_by("-pk").first()',
        scripts.in_turn,
    ),
    Mutant(
        "claimed before it is due",
        queue,
        ".filter(Q(due_at=None) | Q(due_at__lte=now) | set_back)",
        "",
        scripts.pauses,
    ),
    Mutant(
        "what it was told before stays",
        queue,
        "        **_NOT_ANSWERED,\n",
        "",
        scripts.second_attempt,
    ),
    # Sending.
    Mutant(
        "an old claim is sent",
        sending,
        "if _age(run, claimed) > _STALE_SECONDS:",
        "if False:",
        scripts.old_claim,
    ),
    Mutant(
        "sent once more where the answer could not be recorded",
        sending,
        "    return recorded\n",
        "    return recorded or send(run, token, claimed=claimed)\n",
        scripts.database_away,
    ),
    Mutant(
        "put back after it was sent",
        sending,
        _ANSWERED,
        f"recorded = recording.put_back(run)\n        if not recorded: {_ANSWERED}",
        scripts.unknown,
    ),
    Mutant(
        "put back though settled",
        recording,
        f'"reason": Reason.ACCEPTED}}\n    {_OURS}\n',
        '"reason": Reason.ACCEPTED, "settled_at": None}\n'
        "    claimed = Run.objects.filter(pk=run.pk)\n",
        scripts.old_claim_settled,
    ),
    Mutant(
        "put back, and counted",
        recording,
        '"attempt": run.attempt - 1, ',
        "",
        scripts.old_claim,
    ),
    # Attempts anew.
    Mutant(
        "unknown is sent again",
        retrying,
        "answer.reason not in _STARTED_NOTHING",
        'answer.state == "started"',
        scripts.unknown,
    ),
    Mutant(
        "Retry-After is not waited for",
        retrying,
        "pause = max(pause, answer.retry_after or limits.hold_after(answer))",
        "pass",
        scripts.lifted,
    ),
    Mutant(
        "an attempt after the deadline",
        retrying,
        "return due_at if due_at < run.deadline else None",
        "return due_at",
        scripts.pause_beyond_the_deadline,
    ),
    Mutant("attempted anew unasked", retrying, "not run.tries_again or ", "", scripts.once_only),
    # Answers.
    Mutant(
        "a late answer is not recorded",
        recording,
        "return unsettled if names_a_session else unsettled & _not_attempted_since(run)",
        "return Q(state=State.SENDING)",
        scripts.late_session,
    ),
    Mutant(
        "a late refusal makes it wait once more",
        recording,
        f"    {_OURS}\n    with",
        "    claimed = Run.objects.filter(pk=run.pk)\n    with",
        scripts.late_refusal,
    ),
    Mutant(
        "that no answer came overrules people",
        recording,
        "if answer.state != State.UNKNOWN:",
        "if True:",
        scripts.late_nothing,
    ),
    Mutant("attempts are not kept", recording, "[attempt],", "[],", scripts.pauses),
    # The end.
    Mutant(
        "its last refusal is forgotten",
        overdue,
        "if last is not None and last.meaning.state == State.REFUSED:",
        "if False:",
        scripts.last_refusal,
    ),
    Mutant(
        "interrupted too early",
        limits,
        "timezone.now() - timedelta(seconds=settings.FIRE_TIMEOUT) - _SETTLE_MARGIN",
        "timezone.now() - timedelta(seconds=settings.FIRE_TIMEOUT)",
        scripts.too_early,
    ),
    Mutant(
        "given up although claimed",
        overdue,
        _WAITS,
        "Run.objects.filter(pk=run.pk)",
        scripts.claimed_while_settling,
    ),
    Mutant(
        "interrupted as it was found, not as it is",
        overdue,
        "if is_overdue(run):",
        "if True:",
        scripts.claimed_before_it_is_read,
    ),
    Mutant(
        "another attempt is interrupted",
        overdue,
        _MINE,
        "Run.objects.filter(pk=run.pk, state=State.SENDING)",
        scripts.attempted_anew_while_settling,
    ),
    Mutant(
        "people overrule an answer",
        settling,
        ".filter(Q(state=State.UNKNOWN) | Q(reason__in=SAID_BY_PEOPLE), pk=run.pk)",
        ".filter(pk=run.pk)",
        scripts.people_and_an_answer,
    ),
    Mutant(
        "budgets count what was accepted",
        limits,
        "sent_at__gt=timezone.now() - _BUDGET_WINDOW",
        "created_at__gt=timezone.now() - _BUDGET_WINDOW",
        scripts.waited_for_hours,
    ),
]
