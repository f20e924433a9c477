"""People settle unknown runs, and only those."""

import pytest

from routines.models import AuditEvent, Person, Run
from routines.runs import settling
from routines.values.reasons import MEANINGS, SAID_BY_PEOPLE, Reason, State
from tests.factories import create_routine, create_run, create_teammate
from tests.routines.runs.firing.pressing import at_once

pytestmark = pytest.mark.django_db

FOUND = "https://claude.ai/code/session_01Found"


@pytest.fixture
def person() -> Person:
    return create_teammate()


@pytest.fixture
def unknown() -> Run:
    return create_run(reason=Reason.NO_ANSWER, request_id="req_kept")


def stored(run: Run) -> Run:
    return Run.objects.select_related("settled_by").get(pk=run.pk)


def changes() -> list[dict[str, list[object]]]:
    events = AuditEvent.objects.filter(action=AuditEvent.Action.RUN_SETTLED).order_by("pk")
    return [event.changes for event in events]


def test_a_found_session_makes_it_a_started_run(unknown, person):
    before = unknown.settled_at
    settling.settle_as_started(unknown, FOUND, by=person)
    run = stored(unknown)
    assert (run.state, run.reason) == (State.STARTED, Reason.SAID_STARTED)
    assert (run.session_id, run.session_url) == ("session_01Found", FOUND)
    assert (run.settled_by, run.request_id) == (person, "req_kept")
    assert run.settled_at is not None
    assert run.settled_at > before
    assert (unknown.state, unknown.session_url) == (run.state, run.session_url)


def test_no_session_makes_it_a_refused_run(unknown, person):
    settling.settle_as_not_started(unknown, by=person)
    run = stored(unknown)
    assert (run.state, run.reason) == (State.REFUSED, Reason.SAID_NOT_STARTED)
    assert (run.session_id, run.session_url, run.settled_by) == ("", "", person)


def test_who_said_what_is_in_the_trail(unknown, person):
    settling.settle_as_not_started(unknown, by=person)
    settling.settle_as_started(unknown, FOUND, by=person)
    assert changes() == [
        {
            "run": [unknown.pk, unknown.pk],
            "reason": ["no_answer", "said_not_started"],
            "session_url": ["", ""],
        },
        {
            "run": [unknown.pk, unknown.pk],
            "reason": ["said_not_started", "said_started"],
            "session_url": ["", FOUND],
        },
    ]
    event = AuditEvent.objects.latest("pk")
    assert (event.person, event.routine) == (person, unknown.routine)


@pytest.mark.parametrize("reason", Reason)
def test_only_what_nobody_knows_or_people_said_may_be_settled(person, reason):
    run = create_run(reason=reason)
    if MEANINGS[reason].state == State.UNKNOWN or reason in SAID_BY_PEOPLE:
        settling.settle_as_not_started(run, by=person)
        assert stored(run).reason == Reason.SAID_NOT_STARTED
        return
    for settle in (
        lambda: settling.settle_as_not_started(run, by=person),
        lambda: settling.settle_as_started(run, FOUND, by=person),
    ):
        with pytest.raises(settling.NotOpen):
            settle()
    assert stored(run).reason == reason
    assert changes() == []


def test_an_answer_that_came_since_the_page_was_shown_stands(unknown, person):
    stale = Run.objects.get(pk=unknown.pk)
    values = {"state": State.STARTED, "reason": Reason.SESSION_CREATED, "session_id": "session_x"}
    Run.objects.filter(pk=unknown.pk).update(**values)
    with pytest.raises(settling.NotOpen):
        settling.settle_as_not_started(stale, by=person)
    assert stored(unknown).session_id == "session_x"
    assert stored(unknown).settled_by is None


@pytest.mark.parametrize(
    "pasted",
    [
        FOUND,
        f"  {FOUND}\r\n",
        f"{FOUND}?from=mail&x=1",
        f"{FOUND}#latest",
        f"{FOUND}?a#b?c",
    ],
)
def test_an_address_is_kept_without_what_browsers_add(unknown, person, pasted):
    settling.settle_as_started(unknown, pasted, by=person)
    assert (stored(unknown).session_id, stored(unknown).session_url) == ("session_01Found", FOUND)


def test_an_address_may_end_in_a_slash(unknown, person):
    settling.settle_as_started(unknown, f"{FOUND}/", by=person)
    assert stored(unknown).session_id == "session_01Found"


NO_SESSIONS = {
    "nothing": "",
    "an ID alone": "session_01Found",
    "plain http": FOUND.replace("https", "http"),
    "another host": "https://claude.ai.example.com/code/session_01Found",
    "user-info": "https://claude.ai@example.com/code/session_01Found",
    "no ID": "https://claude.ai/code/session_",
    "a routine": "https://claude.ai/code/routines/trig_1",
    "deeper down": f"{FOUND}/files",
    "two lines": f"{FOUND}\n{FOUND}",
    "outside ASCII": f"{FOUND}é",
    "too long": f"{FOUND}{'x' * 190}",
}


@pytest.mark.parametrize("pasted", NO_SESSIONS.values(), ids=NO_SESSIONS)
def test_what_is_no_sessions_address_changes_nothing(unknown, person, pasted):
    with pytest.raises(settling.SessionUrlRefused, match="not the address of a session"):
        settling.settle_as_started(unknown, pasted, by=person)
    assert stored(unknown).is_unknown
    assert changes() == []


def test_a_session_belongs_to_one_run(unknown, person):
    settling.settle_as_started(unknown, FOUND, by=person)
    other = create_run(reason=Reason.NO_ANSWER)
    with pytest.raises(settling.SessionUrlRefused, match=f"belongs to run {unknown.pk} already"):
        settling.settle_as_started(other, FOUND, by=person)
    assert stored(other).is_unknown


def test_what_was_said_may_be_said_again(unknown, person):
    for _ in range(2):
        settling.settle_as_started(unknown, FOUND, by=person)
    assert stored(unknown).session_url == FOUND


def test_nothing_is_settled_without_its_trace(unknown, person, monkeypatch):
    def fail(*_arguments: object, **_more: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(settling, "trace", fail)
    with pytest.raises(RuntimeError):
        settling.settle_as_not_started(unknown, by=person)
    assert stored(unknown).is_unknown


@pytest.mark.usefixtures("transactional_db")
def test_one_session_is_given_to_one_of_two_runs_settled_at_once():
    person, routine = create_teammate(), create_routine()
    runs = [create_run(routine=routine, reason=Reason.NO_ANSWER) for _ in range(6)]

    def settle(number: int) -> None:
        settling.settle_as_started(runs[number], FOUND, by=person)

    refused = [one for one in at_once(len(runs), settle) if one is not None]
    assert {type(one) for one in refused} == {settling.SessionUrlRefused}
    assert len(refused) == len(runs) - 1
    assert Run.objects.filter(session_url=FOUND).count() == 1
