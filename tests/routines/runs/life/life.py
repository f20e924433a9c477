"""Lives of runs, step by step: the real domain, hosts whose clocks differ, a scripted endpoint.

Each public method is a step, and the checks follow each. A step that finds nothing to act on
does nothing: so any order of steps is a life.
"""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from routines import registry
from routines.callers import asking, keys
from routines.models import ApiKey, Attempt, DatabaseIdentity, Person, Run, WhyNoRun
from routines.runs import accepting, firing, overdue, queue, retrying, rules, sending, settling
from routines.runs.slots import Slot
from routines.values.reasons import MEANINGS, OPEN, State
from tests.routines.runs.life.endpoint import KINDS, Kind, Request
from tests.routines.runs.life.hosts import WEB, Process
from tests.routines.runs.life.house import House
from tests.routines.runs.life.stage import Flight, Held, Stage, die


@dataclass
class Intent:
    """Somebody wants a run. Its text is its own, so that the endpoint's books can tell it."""

    key: UUID
    text: str
    routine: int
    person: int
    run: Run | None = None  # as it was first read
    api_key: int | None = None  # a program's
    idempotency_key: str = ""
    why: WhyNoRun | None = None  # why its last call was turned away

    def wishes(self, house: House) -> dict[str, Any]:
        routine = house.routines[self.routine]
        person = Person.objects.get(pk=house.people[self.person].pk)  # as each request reads them
        return {"key": self.key, "text": self.text, "routine": routine, "person": person}


# Of another attempt, which a program asks for.
STANDS_IN_THE_WAY = (WhyNoRun.CLOSED, WhyNoRun.HOURLY_CAP, WhyNoRun.REVOKED)


class Life(Stage):
    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.intents: list[Intent] = []
        self._number = count()
        self._copied: list[list[Any]] = [[], []]

    # --- Intents ---

    def accept(
        self,
        *,
        routine: int = 0,
        person: int = 0,
        waits_out: bool = False,
        tries_again: bool = False,
        wait: int = 600,
    ) -> Intent:
        """A caller's: it waits for its turn. `wait` in seconds."""
        intent = self._intend(routine, person)
        with self.working(WEB, "accept"):
            self._take(
                intent,
                lambda: accepting.accept(
                    **intent.wishes(self.house),
                    aware_of=None,
                    waits_out=waits_out,
                    tries_again=tries_again,
                    wait=timedelta(seconds=wait),
                ),
            )
        return intent

    def press(
        self, *, routine: int = 0, person: int = 0, tries_again: bool = False, full: bool = False
    ) -> Intent:
        """A person's: it is sent at once, but where all places are taken (`full`)."""
        intent = self._intend(routine, person)
        aware_of = list(self.checks.rows)
        act = lambda: self._take(  # noqa: E731
            intent,
            lambda: firing.fire(
                **intent.wishes(self.house), aware_of=aware_of, tries_again=tries_again
            ),
        )
        with ExitStack() as stack, self.working(WEB, "accept"):
            while full and stack.enter_context(Slot()).claim():
                pass
            self.begin(Process(WEB, act))
        intent.run = Run.objects.filter(key=intent.key).first()
        assert intent.run is None or not full or not intent.run.is_sending
        return intent

    def call(
        self,
        *,
        routine: int = 0,
        api_key: int = 0,
        idempotency_key: str | None = None,
        comes_back: bool = False,
    ) -> Intent:
        """A program's: sent at once, or waiting if it `comes_back` for the outcome.

        `idempotency_key`: None for one of its own; empty for none.
        """
        intent = self._intend(routine, 0)
        intent.api_key = api_key
        named = f"key of {intent.text}" if idempotency_key is None else idempotency_key
        intent.idempotency_key = named
        with self.working(WEB, "accept"):
            self.begin(Process(WEB, lambda: void(self._ask_for(intent, comes_back=comes_back))))
        intent.run = Run.objects.filter(text=intent.text).first()
        assert (intent.run is None) == (intent.why is not None)
        return intent

    def call_again(self, intent: Intent, *, other_key: bool, other_routine: bool) -> None:
        """What its caller sends where it got no answer, or where it takes a key for another."""
        if not intent.idempotency_key:
            return
        if other_key:
            other, named = 1 - (intent.api_key or 0), intent.idempotency_key
            theirs = Run.objects.filter(
                api_key=self.house.api_keys[other], idempotency_key=named
            ).exists()
            call = self.call(api_key=other, idempotency_key=named)
            assert (call.why == WhyNoRun.OTHER_INTENT) == theirs, "another caller's run"
            return
        before = Run.objects.count()
        asked = replace(intent, routine=intent.routine - 1) if other_routine else intent
        with self.working(WEB, "asked again"):
            press = self._ask_for(asked, comes_back=True)
        assert Run.objects.count() == before
        if other_routine:
            assert asked.why == WhyNoRun.OTHER_INTENT, "a run of something else"
        elif press is None:
            assert intent.why in STANDS_IN_THE_WAY
            assert intent.run is not None
            assert retrying.asked_again_from(Run.objects.get(pk=intent.run.pk)) is not None
        else:
            assert press.repeated
            assert press.run == intent.run

    def call_twice_at_once(self) -> None:
        """The second call of one intent overtakes the first one before that is recorded."""
        intent = self._intend(0, 0)
        intent.api_key, intent.idempotency_key = 0, f"key of {intent.text}"
        ask = lambda: self._ask_for(intent, comes_back=True)  # noqa: E731
        with self.working(WEB, "accept"), self.meanwhile("SAVEPOINT", lambda: void(ask())):
            press = ask()
        assert press is not None
        assert press.repeated

    def revoke(self, api_key: int, *, cancels: bool) -> None:
        key = self.house.api_keys[api_key]
        with self.working(WEB, "cancel", "restore"), suppress(keys.Refused):
            keys.revoke(key, by=self.house.admin, cancels_waiting=cancels)
            waiting = Run.objects.filter(api_key=key, state=State.ACCEPTED)
            assert not cancels or not waiting.exists(), "left waiting"

    def _ask_for(self, intent: Intent, *, comes_back: bool) -> firing.Press | None:
        named = self.house.api_keys[intent.api_key or 0]
        api_key = ApiKey.objects.select_related("person").get(pk=named.pk)
        wish = asking.Wish(
            self.house.routines[intent.routine],
            intent.text,
            idempotency_key=intent.idempotency_key,
        )
        intent.why = None
        try:
            return asking.ask(api_key, wish, wait=0 if comes_back else None)
        except asking.TurnedAway as away:
            intent.why = away.why
            return None

    def again(self, intent: Intent, *, other_person: bool = False, other_routine: bool = False):
        """The same key once more: the same run, or nobody's."""
        if intent.run is None:
            return
        if intent.api_key is not None:
            self.call_again(intent, other_key=other_person, other_routine=other_routine)
            return
        wishes = intent.wishes(self.house)
        if other_person:
            wishes["person"] = Person.objects.get(pk=self.house.people[1 - intent.person].pk)
        if other_routine:
            wishes["routine"] = self.house.routines[intent.routine - 1]
        with self.working(WEB):
            try:
                found = accepting.accept(**wishes, aware_of=None)
            except accepting.KeyTaken:
                assert other_person or other_routine
            except rules.NotAllowed:
                pass
            else:
                assert found.repeated
                assert found.run.pk == intent.run.pk
                assert not other_person
                assert not other_routine

    def cancel(self, intent: Intent) -> None:
        """As of a page that was drawn when it was accepted."""
        if intent.run is not None:
            with self.working(WEB, "cancel", "restore"):
                queue.cancel(intent.run, by=self.house.people[intent.person])

    # --- Workers ---

    def claim(self, host: str, routine: int = 0) -> bool:
        with self.working(host, "claim", "deadline", "restore"):
            claimed = queue.claim(self.house.routines[routine].pk)
            if claimed is not None:
                self.held.append(Held(host, claimed, self.clocks.monotonic()))
        return claimed is not None

    def send(self, held: Held) -> None:
        """The claim leaves, or goes back if it got old."""
        self.held.remove(held)
        run, token, at = held.claimed.run, held.claimed.token, held.at
        is_old = self.clocks.monotonic() - at > 15
        with self.working(held.host, "put back"):
            self.begin(Process(held.host, lambda: sending.send(run, token, claimed=at)))
        assert not (is_old and self.flights and self.flights[-1].request.run == run.pk)

    def lose(self, held: Held) -> None:
        """Its worker dies before anything leaves."""
        self.held.remove(held)

    def settle(self, host: str = WEB) -> None:
        with self.working(host, "deadline", "interrupted", "restore"):
            overdue.settle()

    # --- Answers ---

    def answer(
        self, flight: Flight, kind: Kind | str, *, finds_database: bool = True, dies_at: int = -1
    ) -> None:
        """`dies_at`: at its so-manieth write from now on the process dies, counted from 0."""
        kind = KINDS[kind] if isinstance(kind, str) else kind
        process, request = flight.process, flight.request
        self.flights.remove(flight)
        process.finds_database, process.killed_at = finds_database, dies_at
        with self.working(process.host, "answer"):
            now = self.clocks.now(process.host)
            self.books.close(request, kind)
            request.at = now - timedelta(seconds=self.clocks.monotonic() - request.left_at)
            self.let_act(process, lambda: process.go_on(lambda: kind.act(request)))
            kept = Attempt.objects.filter(run=request.run, number=request.attempt)
            request.is_recorded = kept.exclude(reason__in=["interrupted", "restored"]).exists()
            if dies_at >= 0 and not request.is_recorded:
                self.checks.known[request.run].is_whole = False
        is_there = request.run in self.checks.rows
        if request.is_recorded and is_there:
            self.checks.recorded(request, now)
            if dies_at < 0:
                self.checks.held(request, now)
        assert request.is_recorded or not finds_database or dies_at >= 0 or not is_there

    def kill(self, flight: Flight, *, left: bool) -> None:
        """Its process dies; `left`: the request had left, and the endpoint may have started one."""
        self.flights.remove(flight)
        self.books.lose(flight.request, left=left)
        with self.working(flight.process.host):
            self.let_act(flight.process, lambda: flight.process.go_on(die))

    def other_session(self, request: Request) -> str:
        """A session that is another run's; empty if there is none."""
        runs = (row for row in self.checks.rows.values() if row["pk"] != request.run)
        return next((row["session_id"] for row in runs if row["session_id"]), "")

    # --- People ---

    def say(self, intent: Intent, *, started: bool, session: str = "") -> None:
        """What somebody found of an unknown run; without `session`, one that is its own."""
        if intent.run is None:
            return
        url = f"https://claude.ai/code/{session or f'session_01SAID{intent.run.pk}'}"
        with self.working(WEB, "person"):
            try:
                if started:
                    settling.settle_as_started(intent.run, url, by=self.house.admin)
                else:
                    settling.settle_as_not_started(intent.run, by=self.house.admin)
            except (settling.NotOpen, settling.SessionUrlRefused):
                pass

    def lift(self, routine: int) -> None:
        with self.working(WEB):
            registry.lift_hold(self.house.routines[routine], by=self.house.admin)

    def change(self, routine: int, how: str) -> None:
        with self.working(WEB):
            self.house.change(routine, how)

    def let(self, person: int, may: bool) -> None:
        with self.working(WEB):
            self.house.let(person, may)

    def grant(self, may: bool) -> None:
        with self.working(WEB):
            self.house.grant(may)

    # --- An older state of the database ---

    @property
    def has_copy(self) -> bool:
        return bool(self._copied[0])

    def copy(self) -> None:
        """As a backup does."""
        self._copied = [[*Run.objects.order_by("pk").values()], [*Attempt.objects.values()]]

    def restore(self) -> None:
        """The copy takes the place of what there is, while requests are under way."""
        (runs, attempts), self._copied = self._copied, [[], []]
        self.held.clear()  # nobody begins to send what was claimed before
        Run.objects.all().delete()
        Run.objects.bulk_create([Run(**row) for row in runs])
        Attempt.objects.bulk_create([Attempt(**row) for row in attempts])
        DatabaseIdentity.objects.update(name="the one that was copied")
        there = {row["id"] for row in runs}
        self.intents = [one for one in self.intents if one.run is None or one.run.pk in there]
        self.checks.start_anew()

    # --- Time ---

    def pass_time(self, seconds: float) -> None:
        self.clocks.passed += seconds

    def set_clock(self, host: str, by: float) -> None:
        self.clocks.ahead[host] = self.clocks.ahead.get(host, 0.0) + by

    # --- The end ---

    def end(self) -> None:
        """Everything stops, or is answered; clocks are set right, and pass the last deadline."""
        for held in list(self.held):
            self.lose(held)
        for flight in list(self.flights):
            self.answer(flight, "session")
        moments = [
            moment
            for row in self.checks.rows.values()
            for moment in (row["deadline"], row["claimed_at"])
            if moment is not None
        ]
        self.clocks.ahead.clear()
        last = max(moments, default=self.clocks.now(WEB))
        self.pass_time(max(0.0, (last - self.clocks.now(WEB)).total_seconds()) + 600)
        self.settle()
        assert all(row["state"] not in OPEN for row in self.checks.rows.values())
        for row in self.checks.rows.values():
            requests = self.books.of_text(row["text"])
            assert MEANINGS[row["reason"]].state == row["state"]
            if row["state"] in (State.NOT_SENT, State.REFUSED):
                doubtful = [one for one in requests if one.may_have_started and one.is_recorded]
                assert row["reason"] == "said_not_started" or not doubtful

    def _intend(self, routine: int, person: int) -> Intent:
        intent = Intent(uuid4(), f"Intent {next(self._number)}", routine, person)
        self.intents.append(intent)
        return intent

    def _take(self, intent: Intent, act: Callable[[], Any]) -> None:
        try:
            taken = act()
        except rules.NotAllowed:
            assert (self.house.people[intent.person].pk, None) not in self.house.allowed()
        else:
            intent.run = Run.objects.filter(pk=taken.run.pk).first()
            if intent.run is not None and getattr(taken, "recorded", True):
                # Else the person is told more than the row holds.
                told = taken.run.state, taken.run.reason
                assert told == (intent.run.state, intent.run.reason)


def void(_returned: Any) -> None:
    """For what is called for its effect."""
