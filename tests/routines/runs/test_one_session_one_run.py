"""One session is one run's: the database says so, and neither run is lost over it."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from routines.fire_api import Answer
from routines.models import Run
from routines.runs import recording, settling
from routines.values import references
from routines.values.reasons import Reason, State
from tests.factories import create_routine, create_run, create_teammate
from tests.routines.runs.firing.pressing import at_once

pytestmark = pytest.mark.django_db

SESSION, SAME = "session_01Found", "cse_01Found"
SPELLINGS = [(SESSION, SESSION), (SESSION, SAME), (SAME, SESSION), (SAME, SAME)]


def address(session: str) -> str:
    return f"https://claude.ai/code/{session}"


def names(session: str, *, session_id: str | None = None) -> Answer:
    return Answer(
        Reason.SESSION_CREATED,
        http_status=200,
        request_id="req_1",
        session_id=session if session_id is None else session_id,
        session_url=address(session),
    )


def sending(**values: object) -> Run:
    return create_run(reason=Reason.SENDING, **values)  # type: ignore[arg-type]


def stored(run: Run) -> Run:
    return Run.objects.get(pk=run.pk)


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_the_database_takes_a_session_once_under_both_its_names(one, other):
    create_run(session_id=one)
    with pytest.raises(IntegrityError), transaction.atomic():
        create_run(session_id=other)
    create_run(session_id="session_01Another")
    create_run(session_id="", session_url=address(one))  # of old: its ID stayed with another run


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_the_second_run_that_an_answer_gives_a_session_to_is_unknown_and_not_lost(one, other):
    first, second = sending(), sending()
    assert recording.record_answer(first, names(one), duration=0.1)
    assert recording.record_answer(second, names(other), duration=0.1)
    assert (stored(first).state, stored(first).session_id) == (State.STARTED, one)
    for run in (second, stored(second)):
        assert (run.state, run.reason) == (State.UNKNOWN, Reason.SESSION_TAKEN)
        assert (run.session_id, run.session_url, run.request_id) == ("", "", "req_1")
        assert address(other) in run.error_message


def test_an_address_alone_is_a_session_as_well():
    first, second = sending(), sending()
    recording.record_answer(first, names(SESSION, session_id=""), duration=0.1)
    recording.record_answer(second, names(SAME, session_id=""), duration=0.1)
    assert stored(first).session_id == SESSION
    assert stored(second).reason == Reason.SESSION_TAKEN


def test_an_error_that_names_the_session_of_another_run_is_unknown():
    create_run(session_id=SESSION)
    run = sending()
    answer = Answer(Reason.SESSION_NAMED, http_status=409, session_id=SAME)
    assert recording.record_answer(run, answer, duration=0.1)
    assert (stored(run).reason, stored(run).session_id) == (Reason.SESSION_TAKEN, "")


@pytest.mark.parametrize("session_id", ["", "session_01Late"])
def test_what_an_error_names_late_is_kept_beside_the_session_that_people_found(session_id):
    run = create_run(reason=Reason.NO_ANSWER)
    settling.settle_as_started(run, address(SESSION), by=create_teammate())
    late = "session_01Late"
    answer = Answer(Reason.SESSION_NAMED, session_id=session_id, session_url=address(late))
    assert recording.record_answer(run, answer, duration=0.1)
    kept = stored(run)
    assert (kept.reason, kept.session_id) == (Reason.SAID_STARTED, SESSION)
    assert address(late) in kept.error_message


def test_nothing_is_noted_where_an_error_names_the_session_that_people_found():
    run = create_run(reason=Reason.NO_ANSWER)
    settling.settle_as_started(run, address(SESSION), by=create_teammate())
    answer = Answer(Reason.SESSION_NAMED, session_id=SAME, error_message="late")
    assert recording.record_answer(run, answer, duration=0.1)
    assert (stored(run).reason, stored(run).error_message) == (Reason.SAID_STARTED, "")


def test_an_answer_takes_the_session_back_from_a_run_that_people_gave_it_to():
    guessed, run = create_run(reason=Reason.NO_ANSWER), sending()
    settling.settle_as_started(guessed, address(SESSION), by=create_teammate())
    recording.record_answer(run, names(SAME), duration=0.1)
    assert (stored(run).state, stored(run).session_id) == (State.STARTED, SAME)
    assert (stored(guessed).state, stored(guessed).reason) == (State.UNKNOWN, Reason.SESSION_TAKEN)


def test_a_session_named_late_overrules_that_nothing_was_started():
    run = create_run(reason=Reason.SAID_NOT_STARTED)
    late = Answer(Reason.SESSION_NAMED, http_status=409, session_url=address(SESSION))
    recording.record_answer(run, late, duration=9)
    assert (stored(run).state, stored(run).session_url) == (State.UNKNOWN, address(SESSION))


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_settling_with_the_session_of_another_run_says_which_run(one, other):
    first = create_run(session_id=one, session_url=address(one))
    run = create_run(reason=Reason.NO_ANSWER)
    with pytest.raises(settling.SessionUrlRefused, match=f"belongs to run {first.pk} already"):
        settling.settle_as_started(run, address(other), by=create_teammate())
    assert stored(run).is_unknown


def test_a_session_found_under_its_other_name_may_be_kept():
    run = create_run(reason=Reason.NO_ANSWER)
    settling.settle_as_started(run, address(SAME), by=create_teammate())
    assert (stored(run).session_id, stored(run).session_link) == (SAME, address(SAME))


@pytest.mark.parametrize("typed", [SESSION, SAME, address(SESSION), address(SAME)])
def test_either_name_finds_the_run(typed):
    run = create_run(session_id=SAME)
    create_run()
    reference = references.read(typed)
    assert reference is not None
    assert list(Run.objects.filter(reference.of_run)) == [run]


def test_a_search_for_a_session_reads_the_index():
    with CaptureQueriesContext(connection) as captured:
        list(Run.objects.filter(references.of_session(SESSION)).only("pk"))
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"{explain} {captured[0]['sql']}")
        assert "run_session_once" in str(cursor.fetchall())


@pytest.mark.usefixtures("transactional_db")
def test_of_racing_answers_with_one_session_one_has_it_and_none_is_lost():
    runs = [sending(routine=create_routine()) for _ in range(4)]

    def record(number: int) -> bool:
        session = SAME if number % 2 else SESSION
        return recording.record_answer(runs[number], names(session), duration=0.1)

    assert at_once(len(runs), record) == [True] * len(runs)
    kept = [stored(run) for run in runs]
    assert sorted(run.state for run in kept) == [State.STARTED, *[State.UNKNOWN] * 3]
    assert len([run for run in kept if run.session_id]) == 1
