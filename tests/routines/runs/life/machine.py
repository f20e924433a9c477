"""Lives that nobody has thought of: Hypothesis chooses the steps of life.py."""

from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.routines.runs.life.endpoint import KINDS, session_of
from tests.routines.runs.life.hosts import ONE, TWO, WEB
from tests.routines.runs.life.house import CHANGES, House
from tests.routines.runs.life.life import Intent, Life
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
ANSWERS = st.sampled_from([*KINDS, "session", "session of another run", *["overloaded"] * 3])


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

        @initialize(skew=st.sampled_from([0, 30, -30]))
        def begin(self, skew: int) -> None:
            self.life.set_clock(TWO, skew)

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

        @precondition(lambda self: self.life.intents)
        @rule(which=WHICH, other_person=SELDOM, other_routine=SELDOM)
        def again(self, which: int, **other: bool) -> None:
            self.life.again(one_of(self.life.intents, which), **other)

        @precondition(lambda self: self.life.intents)
        @rule(which=WHICH)
        def cancel(self, which: int) -> None:
            self.life.cancel(one_of(self.life.intents, which))

        # --- Workers ---

        @precondition(lambda self: self.life.intents)
        @rule(host=WORKER, routine=ROUTINE, at_once=OFTEN, which=WHICH, cancelled=SELDOM)
        def claim(
            self, host: str, routine: int, at_once: bool, which: int, cancelled: bool
        ) -> None:
            act = lambda: self.life.cancel(one_of(self.life.intents, which))  # noqa: E731
            word, act = ('UPDATE "routines_run"', act) if cancelled else ("nothing", act)
            with self.life.meanwhile(word, act):
                claimed = self.life.claim(host, routine)
            if claimed and at_once:
                self.life.send(self.life.held[-1])

        @precondition(lambda self: self.life.held)
        @rule(which=WHICH)
        def send(self, which: int) -> None:
            self.life.send(one_of(self.life.held, which))

        @precondition(lambda self: self.life.held)
        @rule(which=WHICH)
        def die_before_sending(self, which: int) -> None:
            self.life.lose(one_of(self.life.held, which))

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

        # --- People ---

        @precondition(lambda self: self.life.intents)
        @rule(which=WHICH, started=st.booleans(), taken=SELDOM)
        def say(self, which: int, started: bool, taken: bool) -> None:
            sessions = [one.session for one in self.life.books.requests if one.session]
            session = one_of(sessions, which) if taken and sessions else ""
            self.life.say(self._unknown(which), started=started, session=session)

        def _unknown(self, which: int) -> Intent:
            """One that is unknown, if there is one: only such can be settled."""
            rows = self.life.checks.rows
            unknown = [
                intent
                for intent in self.life.intents
                if intent.run and rows[intent.run.pk]["state"] == "unknown"
            ]
            return one_of(unknown or self.life.intents, which)

        @rule(routine=ROUTINE)
        def lift(self, routine: int) -> None:
            self.life.lift(routine)

        @rule(routine=ROUTINE, how=st.sampled_from(sorted(CHANGES)))
        def change(self, routine: int, how: str) -> None:
            self.life.change(routine, how)

        @rule(routine=ROUTINE)
        def put_right(self, routine: int) -> None:
            for how in ("enabled", "taken out of the archive", "token renewed"):
                self.life.change(routine, how)
            for person in range(2):
                self.life.let(person, True)

        @rule(person=PERSON, may=st.booleans())
        def let(self, person: int, may: bool) -> None:
            self.life.let(person, may)

        # --- An older state of the database ---

        @rule()
        def copy(self) -> None:
            self.life.copy()

        @precondition(lambda self: self.life.checks.rows)
        @rule()
        def restore(self) -> None:
            self.life.restore()

        # --- Time ---

        @rule(seconds=st.sampled_from([1, 2, 5, 16, 61, 120, 301, 620, 3700]))
        def pass_time(self, seconds: int) -> None:
            self.life.pass_time(seconds)

        @rule(
            host=st.sampled_from([WEB, ONE, TWO]),
            by=st.sampled_from([-7200, -300, -30, 30, 300, 7200]),
        )
        def set_clock(self, host: str, by: int) -> None:
            self.life.set_clock(host, by)

    return Lives


def void(_returned: Any) -> None:
    """For what is called for its effect."""
