"""Lives that nobody has thought of: Hypothesis chooses the steps of life.py."""

from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from routines.values.reasons import State
from tests.routines.runs.life.endpoint import KINDS, session_of
from tests.routines.runs.life.hosts import ONE, TWO, WEB
from tests.routines.runs.life.house import CHANGES, House
from tests.routines.runs.life.life import Intent, Life, void
from tests.routines.runs.life.stage import Flight

T = TypeVar("T")

# Which one of those that there are: counted round and round.
WHICH = st.integers(0, 5)
# The first routine above all: steps on one run are more telling than runs that never meet.
ROUTINE = st.sampled_from([0, 0, 0, 1, 2])
PERSON = st.sampled_from([0, 0, 1])
WORKER = st.sampled_from([ONE, TWO])
OFTEN = st.sampled_from([True, True, False])
SELDOM = st.sampled_from([False, False, False, True])
WHATEVER = [
    *("again", "cancel", "say", "say", "lift", "lift", "change", "change", "person"),
    *("put right", "put right", "clock", "copy", "restore", "revoke", "grant"),
]
ANSWERS = st.sampled_from(
    [*KINDS, "session", "session of another run", *["overloaded", "limit for 5 minutes", "limit"]]
)


def one_of(found: list[T], which: int) -> T:
    return found[which % len(found)]


def machine(house: House) -> type[RuleBasedStateMachine]:
    """Lives in this house, as a class for Hypothesis to try."""

    class Lives(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.life = Life(house)
            self._lasting = self.life.going_on()
            self._lasting.__enter__()

        def teardown(self) -> None:
            try:
                self.life.end()
            finally:
                self._lasting.__exit__(None, None, None)

        @initialize(
            skew=st.sampled_from([0, 30, -30]),
            wishes=st.lists(st.booleans(), min_size=1, max_size=3),
        )
        def begin(self, skew: int, wishes: list[bool]) -> None:
            self.life.set_clock(TWO, skew)
            for is_once in wishes:
                self.life.accept(tries_again=not is_once, waits_out=True)

        # --- Intents ---

        @rule(
            routine=ROUTINE,
            person=PERSON,
            waits_out=OFTEN,
            tries_again=OFTEN,
            wait=st.sampled_from([600, 20, 7200]),
        )
        def accept(self, **wish: Any) -> None:
            self.life.accept(**wish)

        @rule(routine=ROUTINE, person=PERSON, tries_again=SELDOM, full=SELDOM)
        def press(self, **wish: Any) -> None:
            self.life.press(**wish)

        @rule(routine=ROUTINE, kind=ANSWERS, tries_again=SELDOM)
        def press_and_get_an_answer(self, routine: int, kind: str, tries_again: bool) -> None:
            under_way = len(self.life.flights)
            self.life.press(routine=routine, tries_again=tries_again)
            if len(self.life.flights) > under_way:
                self._answer(-1, kind)

        @rule(
            routine=ROUTINE,
            api_key=PERSON,
            idempotency_key=st.sampled_from([None, None, ""]),
            comes_back=OFTEN,
        )
        def call(self, **wish: Any) -> None:
            self.life.call(**wish)

        # --- Workers ---

        @precondition(lambda self: self.life.intents)
        @rule(host=WORKER, at_once=OFTEN, which=WHICH, cancelled=SELDOM)
        def claim(self, host: str, at_once: bool, which: int, cancelled: bool) -> None:
            intent = self._in_state(State.ACCEPTED, which) or one_of(self.life.intents, which)
            word = 'UPDATE "routines_run"' if cancelled else "nothing"
            with self.life.meanwhile(word, lambda: self.life.cancel(intent)):
                claimed = self.life.claim(host, intent.routine)
            if claimed and at_once:
                self.life.send(self.life.held[-1])

        @precondition(lambda self: self.life.intents)
        @rule(host=WORKER, which=WHICH, kind=ANSWERS)
        def work(self, host: str, which: int, kind: str) -> None:
            """A claim, its request and the answer, with nobody in between."""
            intent = self._in_state(State.ACCEPTED, which)
            if intent is not None and self.life.claim(host, intent.routine):
                self.life.send(self.life.held[-1])
                self._answer(-1, kind)

        @precondition(lambda self: self.life.held)
        @rule(which=WHICH)
        def send(self, which: int) -> None:
            self.life.send(one_of(self.life.held, which))

        @precondition(lambda self: self.life.checks.rows)
        @rule(host=st.sampled_from([WEB, ONE, TWO]), other=ROUTINE, meets=SELDOM)
        def settle(self, host: str, other: int, meets: bool) -> None:
            word = '"routines_run"."id" IN' if meets else "nothing"
            with self.life.meanwhile(word, lambda: void(self.life.claim(ONE, other))):
                self.life.settle(host)

        # --- Answers ---

        @precondition(lambda self: self.life.flights)
        @rule(which=WHICH, kind=ANSWERS, finds_database=st.sampled_from([True] * 5 + [False]))
        def answer(self, which: int, kind: str, finds_database: bool) -> None:
            self._answer(which, kind, finds_database=finds_database)

        @precondition(lambda self: self.life.flights)
        @rule(which=WHICH, kind=ANSWERS, dies_at=st.integers(0, 2))
        def die_with_the_answer(self, which: int, kind: str, dies_at: int) -> None:
            self._answer(which, kind, dies_at=dies_at)

        @precondition(lambda self: self.life.flights)
        @rule(which=WHICH, kind=ANSWERS)
        def answer_late(self, which: int, kind: str) -> None:
            """When others have taken it for interrupted."""
            self.life.pass_time(120)
            self.life.settle()
            self._answer(which, kind)

        @precondition(lambda self: self.life.flights)
        @rule(which=WHICH, kind=ANSWERS)
        def answer_while_it_is_settled(self, which: int, kind: str) -> None:
            self.life.pass_time(120)
            with self.life.meanwhile('UPDATE "routines_run"', self.life.settle):
                self._answer(which, kind)

        @precondition(lambda self: self.life.flights)
        @rule(which=WHICH, left=st.booleans())
        def die_while_sending(self, which: int, left: bool) -> None:
            self.life.kill(one_of(self.life.flights, which), left=left)

        def _answer(self, which: int, kind: str, **more: Any) -> None:
            flight = one_of(self.life.flights, which)
            self.life.answer(flight, self._kind(flight, kind), **more)

        def _kind(self, flight: Flight, kind: str) -> Any:
            if kind != "session of another run":
                return kind
            other = self.life.other_session(flight.request)
            return session_of(other) if other else "session"

        # --- Whatever else ---

        @rule(what=st.sampled_from(WHATEVER), which=WHICH, routine=ROUTINE, is_so=st.booleans())
        def something_else(self, what: str, which: int, routine: int, is_so: bool) -> None:
            """One rule for all of it, so that it stays beside the point."""
            life = self.life
            intent = one_of(life.intents, which) if life.intents else life.accept()
            if what == "again":
                life.again(intent, other_person=is_so and which == 0, other_routine=is_so)
            elif what == "cancel":
                life.cancel(intent)
            elif what == "say":
                sessions = [one.session for one in life.books.requests if one.session]
                session = one_of(sessions, which) if which == 0 and sessions else ""
                life.say(
                    self._in_state(State.UNKNOWN, which) or intent, started=is_so, session=session
                )
            elif what == "lift":
                life.lift(routine)
            elif what == "change":
                life.change(routine, one_of(sorted(CHANGES), which + 5 * is_so))
            elif what == "person":
                life.let(which % 2, False)
            elif what == "revoke":
                life.revoke(which % 2, cancels=is_so)
            elif what == "grant":
                life.grant(is_so)
            elif what == "put right":
                self._put_right()
            elif what == "clock":
                host, by = one_of([WEB, ONE, TWO], which), one_of([30, 300, 7200], which)
                life.set_clock(host, by if is_so else -by)
            elif what == "copy" and not life.has_copy:
                life.copy()
            elif what == "restore" and life.has_copy:
                life.restore()

        def _put_right(self) -> None:
            for routine in range(3):
                for how in ("enabled", "taken out of the archive", "token renewed"):
                    self.life.change(routine, how)
            for person in range(2):
                self.life.let(person, True)
            self.life.grant(True)
            house.make_usable()

        def _in_state(self, state: State, which: int) -> Intent | None:
            rows = self.life.checks.rows
            found = [
                intent
                for intent in self.life.intents
                if intent.run and rows[intent.run.pk]["state"] == state
            ]
            return one_of(found, which) if found else None

        # --- Time ---

        @rule(seconds=st.sampled_from([1, 2, 5, 16, 61, 120, 301, 620, 3700]))
        def pass_time(self, seconds: int) -> None:
            self.life.pass_time(seconds)

    return Lives
