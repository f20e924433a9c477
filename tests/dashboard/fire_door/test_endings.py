"""What a program is told of each ending of a run: as docs/api.md shows it, and as it comes out."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from dashboard.doors import outcomes
from dashboard.doors.endings import ENDINGS
from routines.callers import asking
from routines.fire_api import Answer
from routines.models import Run
from routines.runs import retrying
from routines.runs.firing import Press
from routines.values.reasons import MEANINGS, Reason, State
from tests.dashboard.fire_door.calling import fire
from tests.factories import create_key_and_secret, create_routine, create_run

pytestmark = pytest.mark.django_db
PAGE = Path("docs/api.md")
# What a run of each state may be told as.
STATUSES = {
    State.ACCEPTED: {202},
    State.SENDING: {202},
    State.STARTED: {200},
    State.REFUSED: {400, 403, 404, 409, 429, 503},
    State.NOT_SENT: {403, 409, 429, 503},
    State.UNKNOWN: {504},
}


def table() -> str:
    rows = ["| reason | status | Retry-After | message |", "| --- | --- | --- | --- |"]
    for reason, ending in ENDINGS.items():
        after = ""
        if ending.status == 429:
            after = f"when it resets, or {ending.after}"
        elif ending.after is not None:
            after = str(ending.after)
        said = "" if ending.status == 200 else ending.sentence(reason)
        rows.append(f"| `{reason.value}` | {ending.status} | {after} | {said} |")
    return "\n".join(rows)


def test_the_page_shows_the_table_as_it_stands_in_the_code():
    assert table() in PAGE.read_text(), f"{PAGE} should hold:\n{table()}"


def test_every_reason_has_an_ending():
    assert list(ENDINGS) == list(MEANINGS)


@pytest.mark.parametrize("reason", Reason)
def test_the_status_alone_says_whether_a_session_was_started(reason):
    ending = ENDINGS[reason]
    assert ending.status in STATUSES[MEANINGS[reason].state]
    assert (ending.after is not None) == (ending.status in (429, 503))


def test_what_the_queue_tries_again_a_program_may_as_well():
    """And nothing else but what never had its turn."""
    run = Run(tries_again=True, attempt=1, deadline=timezone.now() + timedelta(hours=1))
    tried = {reason for reason in Reason if retrying.next_attempt(run, Answer(reason)) is not None}
    told = {reason for reason, ending in ENDINGS.items() if ending.status in (429, 503)}
    assert told - tried == {Reason.WAITED_TOO_LONG, Reason.ON_HOLD, Reason.COOL_DOWN}
    assert tried <= told


@pytest.mark.parametrize("reason", Reason)
def test_a_program_is_told_whole_sentences_for_programs(reason):
    said = ENDINGS[reason].sentence(reason)
    assert said.endswith(".")
    for word in ("run it again", "Run it again", "on this page", "below"):
        assert word not in said


@pytest.mark.parametrize("reason", Reason)
def test_an_ending_as_it_is_answered(monkeypatch, reason):
    routine = create_routine()
    api_key, key = create_key_and_secret(routine)
    run = create_run(routine=routine, reason=reason, api_key=api_key)
    monkeypatch.setattr(asking, "ask", lambda *_, **__: Press(run, repeated=True))
    answer = fire(key, routine)
    content, ending = answer.json(), ENDINGS[reason]
    assert answer.status_code == ending.status
    assert answer.headers["Location"] == outcomes.address_of(run)
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert answer.headers["request-id"].startswith("req_")
    assert ("Retry-After" in answer.headers) == (ending.status in (429, 503))
    if ending.status == 200:
        assert content["claude_code_session_id"] == run.session_id
        return
    message = content["message"] if ending.status == 202 else content["error"]["message"]
    assert message.startswith(ending.sentence(reason))
    assert content["run"] == {
        "id": run.pk,
        "state": run.state,
        "reason": reason,
        "url": outcomes.address_of(run),
        "page": outcomes.page_of(run),
    }


def test_a_limit_resets_when_the_endpoint_said(monkeypatch):
    in_two_minutes = timezone.now() + timedelta(minutes=2)
    run = create_run(reason=Reason.LIMIT_REACHED, retry_after=in_two_minutes)
    refusal = outcomes.reply_about(run)
    assert refusal is not None
    assert 110 < int(refusal.headers["Retry-After"]) <= 120
    run.retry_after = timezone.now() - timedelta(hours=1)
    refusal = outcomes.reply_about(run)
    assert refusal is not None
    assert refusal.headers["Retry-After"] == "1"
