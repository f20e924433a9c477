"""One key makes one run, from however many people, threads and routines it comes."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from routines import registry
from routines.models import Routine, Run
from routines.practice_api import PracticeApi
from routines.runs import accepting, firing, overdue, settling
from routines.runs.firing import Press
from routines.values.reasons import Reason, State
from tests.factories import (
    create_admin,
    create_routine,
    create_teammate,
    presser,
)
from tests.hostile import (
    OK,
    SESSION_URL,
    HostileServer,
    Step,
    Visit,
    answer,
    closes,
    in_turn,
    says,
)
from tests.routines.runs.firing.pressing import (
    SENT,
    assert_all_slots_are_free,
    at_once,
    press,
    press_numbered,
)

pytestmark = pytest.mark.django_db


def test_the_same_key_again_shows_the_same_run_and_sends_nothing(practice: PracticeApi):
    routine, person, key = create_routine(), create_teammate(), uuid4()
    first = press(routine, person, key=key)
    second = press(routine, person, key=key, text="something else")
    assert (first.repeated, second.repeated) == (False, True)
    assert (second.run.pk, second.run.text) == (first.run.pk, SENT)
    assert practice.requests == 1


def test_the_same_key_shows_the_same_run_after_the_routine_was_disabled(practice: PracticeApi):
    routine, person, key = create_routine(), create_teammate(), uuid4()
    first = press(routine, person, key=key)
    registry.set_enabled(routine, False, by=create_admin())
    assert press(routine, person, key=key).run.state == first.run.state == State.STARTED


def test_the_same_key_shows_an_unknown_run_without_a_warning(practice: PracticeApi):
    routine, person, key = (
        create_routine(routine_id="trig_practice_500"),
        create_teammate(),
        uuid4(),
    )
    press(routine, person, key=key)
    assert press(routine, person, key=key).repeated
    assert practice.requests == 1


def test_two_keys_are_two_runs(practice: PracticeApi):
    routine, person = create_routine(), create_teammate()
    press(routine, person)
    press(routine, person)
    assert (len(practice.sessions), Run.objects.count()) == (2, 2)


def test_a_key_of_another_person_is_refused(practice: PracticeApi):
    routine, key = create_routine(), uuid4()
    press(routine, create_teammate(), key=key)
    with pytest.raises(accepting.KeyTaken):
        press(routine, create_teammate(), key=key)
    assert practice.requests == 1


def test_a_key_of_another_routine_is_refused(practice: PracticeApi):
    person, key = create_teammate(), uuid4()
    press(create_routine(), person, key=key)
    with pytest.raises(accepting.KeyTaken):
        press(create_routine(), person, key=key)
    assert practice.requests == 1


def test_a_key_of_a_stopped_press_stays_stopped(practice: PracticeApi):
    routine, person, key = create_routine(enabled=False), create_teammate(), uuid4()
    press(routine, person, key=key)
    registry.set_enabled(routine, True, by=create_admin())
    assert press(routine, person, key=key).run.reason == Reason.DISABLED
    assert practice.requests == 0


@pytest.mark.usefixtures("transactional_db")
class TestAtOnce:
    """Real commits, a connection per thread, as in a server."""

    @pytest.mark.parametrize("answered", [200, 500])
    def test_one_key_pressed_many_times_at_once_sends_one_request(self, settings, answered: int):
        routine, person, key = create_routine(), create_teammate(), uuid4()
        step = says(OK) if answered == 200 else says(answer(answered))
        with HostileServer(step) as server:
            settings.CLAUDE_API_BASE_URL = server.url
            presses = at_once(50, lambda _: press(routine, person, key=key))
            assert [one for one in presses if not isinstance(one, Press)] == []
            assert server.requests == 1
        [run] = Run.objects.all()
        assert {one.run.pk for one in presses} == {run.pk}
        assert [one.repeated for one in presses].count(False) == 1
        assert run.state == (State.STARTED if answered == 200 else State.UNKNOWN)
        assert_all_slots_are_free()

    @pytest.mark.usefixtures("one_slot")
    def test_a_press_that_finds_no_slot_does_not_spoil_the_key_for_the_one_that_has_it(
        self, practice: PracticeApi
    ):
        routine, person = create_routine(), create_teammate()
        keys = [uuid4() for _ in range(5)]
        for key in keys:
            at_once(20, partial(press_numbered, routine, person, key))
        assert practice.requests == len(keys)

    def test_one_key_from_many_people_at_once_sends_one_request(self, practice: PracticeApi):
        routine, people, key = create_routine(), [create_teammate() for _ in range(8)], uuid4()
        presses = at_once(8, lambda number: press(routine, people[number], key=key))
        assert len([one for one in presses if isinstance(one, Press)]) == 1
        assert [type(one) for one in presses].count(accepting.KeyTaken) == 7
        assert practice.requests == 1

    def test_one_key_for_many_routines_at_once_sends_one_request(self, practice: PracticeApi):
        person, routines, key = create_teammate(), [create_routine() for _ in range(8)], uuid4()
        presses = at_once(8, lambda number: press(routines[number], person, key=key))
        assert len([one for one in presses if isinstance(one, Press)]) == 1
        assert [type(one) for one in presses].count(accepting.KeyTaken) == 7
        assert practice.requests == 1

    def test_a_cool_down_lets_one_of_many_presses_through(self, practice: PracticeApi, settings):
        settings.RECENT_RUN_WARNING = 0
        routine, person = create_routine(cool_down=60), create_teammate()
        presses = at_once(10, lambda _: press(routine, person))
        reasons = sorted(one.run.reason for one in presses)
        assert reasons == [Reason.COOL_DOWN] * 9 + [Reason.SESSION_CREATED]
        assert practice.requests == 1

    def test_the_run_is_committed_as_sending_before_anything_is_sent(self, settings):
        seen: list[tuple[str, str, str]] = []

        def look(visit: Visit) -> None:  # on a connection of the server's own thread
            seen.extend(Run.objects.values_list("state", "reason", "text"))
            connection.close()

        with HostileServer(in_turn(look, says(OK))) as server:
            settings.CLAUDE_API_BASE_URL = server.url
            press(create_routine(), create_teammate())
        assert seen == [(State.SENDING, Reason.SENDING, SENT)]

    def test_no_transaction_is_open_while_the_endpoint_answers(self, settings):
        routine = create_routine()

        def write(visit: Visit) -> None:  # waits for ever, on SQLite, for an open one
            Routine.objects.update(purpose="written meanwhile")
            connection.close()

        with HostileServer(in_turn(write, says(OK))) as server:
            settings.CLAUDE_API_BASE_URL = server.url
            press(routine, create_teammate())
        routine.refresh_from_db()
        assert routine.purpose == "written meanwhile"

    def test_of_two_forms_pressed_at_once_one_fires_and_the_other_is_asked_first(self, practice):
        """Two tabs, two keys: the routine's lock lets the second see the first in flight."""
        routine, person = create_routine(), create_teammate()
        release = threading.Event()
        answer = practice.answer

        def hold(request: Any) -> Any:
            release.wait(20)
            return answer(request)

        practice.answer = hold

        def act(number: int) -> Any:
            try:
                return press(routine, person)
            except accepting.UnseenRuns:
                release.set()
                raise

        results = at_once(2, act)
        assert {type(one) for one in results} == {firing.Press, accepting.UnseenRuns}
        assert practice.requests == 1
        assert Run.objects.get().state == State.STARTED

    @pytest.mark.usefixtures("one_slot")
    def test_a_press_beyond_the_slots_is_accepted_while_the_first_is_on_its_way(self, settings):
        routine, person = create_routine(), create_teammate()
        arrived, go_on = threading.Event(), threading.Event()

        def wait(visit: Visit) -> None:
            arrived.set()
            go_on.wait(5)

        with HostileServer(in_turn(wait, says(OK))) as server:
            settings.CLAUDE_API_BASE_URL = server.url
            first: list[Any] = []
            thread = threading.Thread(
                target=lambda: first.extend(at_once(1, lambda _: press(routine, person)))
            )
            thread.start()
            assert arrived.wait(5)
            second = press(create_routine(), person).run
            go_on.set()
            thread.join(10)
            assert (second.state, second.reason) == (State.ACCEPTED, Reason.ACCEPTED)
            assert (first[0].run.state, server.requests) == (State.STARTED, 1)
            assert not press(create_routine(), person).run.is_waiting  # it is free again

    # What happens to the row while the answer is on its way.

    def fire_while(self, settings, meanwhile: Callable[[Run], None], then: Step) -> Run:
        def act(visit: Visit) -> None:
            meanwhile(Run.objects.get())
            connection.close()

        with HostileServer(in_turn(act, then)) as server:
            settings.CLAUDE_API_BASE_URL = server.url
            run = press(create_routine(), create_teammate()).run
        return Run.objects.get(pk=run.pk)

    def test_a_late_answer_upgrades_a_run_that_was_shown_as_unknown(self, settings):
        def give_up(run: Run) -> None:
            later = timezone.now() + timedelta(seconds=django_settings.FIRE_TIMEOUT + 61)
            with time_machine.travel(later):
                overdue.settle()
            run.refresh_from_db()
            assert run.reason == Reason.INTERRUPTED

        run = self.fire_while(settings, give_up, says(OK))
        assert (run.state, run.session_url) == (State.STARTED, SESSION_URL)

    def test_a_late_answer_overrules_what_people_said(self, settings):
        def say_no(run: Run) -> None:
            Run.objects.update(
                state=State.UNKNOWN, reason=Reason.INTERRUPTED, settled_at=timezone.now()
            )
            settling.settle_as_not_started(run, by=presser(run))

        run = self.fire_while(settings, say_no, says(OK))
        assert (run.reason, run.settled_by) == (Reason.SESSION_CREATED, None)

    def test_that_no_answer_came_does_not_overrule_what_people_said(self, settings):
        def say_yes(run: Run) -> None:
            Run.objects.update(
                state=State.UNKNOWN, reason=Reason.INTERRUPTED, settled_at=timezone.now()
            )
            settling.settle_as_started(run, "https://claude.ai/code/session_found", by=presser(run))

        run = self.fire_while(settings, say_yes, closes())
        assert (run.reason, run.session_id) == (Reason.SAID_STARTED, "session_found")
        assert run.settled_by == run.person
