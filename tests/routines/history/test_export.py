"""Runs to take away: what stands in the files, for whom, and what a spreadsheet makes of it."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from routines.history import export
from routines.history.export import COLUMNS, Format
from routines.history.run_filter import RunFilter
from routines.models import AuditEvent, Outcome, Person, Run, Tag
from routines.values import spreadsheet
from routines.values.reasons import Reason
from tests.factories import (
    create_api_key,
    create_manager,
    create_routine,
    create_run,
    create_teammate,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Person:
    return create_manager()


def exported(person: Person, file_format: Format, query: str = "") -> list[dict[str, Any]]:
    written = "".join(export.take(person, RunFilter.from_query(query), file_format).lines())
    if file_format == Format.JSON_LINES:
        return [json.loads(line) for line in written.splitlines()]
    return list(csv.DictReader(io.StringIO(written.removeprefix("\ufeff"), newline="")))


def create_whole_run(person: Person) -> Run:
    """With something in every column."""
    pressed = datetime(2026, 11, 2, 12, 30, 15, 123_000, tzinfo=UTC)
    routine = create_routine(name="Release notes", routine_id="trig_whole")
    routine.tags.add(Tag.objects.create(name="web"), Tag.objects.create(name="docs"))
    run = create_run(
        routine=routine,
        api_key=create_api_key(name="laptop", person=person),
        idempotency_key="release 1.2",
        text="First line\nsecond, “line” with Grüße",
        text_was=1000,
        template_name="For customers",
        why="The release is today.",
        is_trial=True,
        beta_version="experimental-cc-routine-2026-04-01",
        session_id="session_01WHOLE",
        session_url="https://claude.ai/code/session_01WHOLE",
        settled_by=person,
        duration_ms=1234,
        http_status=200,
        error_type="odd",
        error_message="None at all",
        request_id="req_1",
        retry_after=pressed,
        outcome=Outcome.USEFUL,
        outcome_note="Merged",
        outcome_link="https://git.example.com/pull/1",
        outcome_at=pressed,
        outcome_by=person,
    )
    moments = ("created_at", "claimed_at", "sent_at", "settled_at")
    Run.objects.filter(pk=run.pk).update(attempt=2, **dict.fromkeys(moments, pressed))
    return run


def test_every_column_holds_what_the_page_says(manager):
    run = create_whole_run(manager)
    whole = {
        "run": run.pk,
        "pressed_at": "2026-11-02T12:30:15.123Z",
        "routine": "Release notes",
        "routine_id": "trig_whole",
        "tags": ["docs", "web"],
        "account": "Platform account",
        "person": manager.username,
        "api_key": "laptop",
        "idempotency_key": "release 1.2",
        "state": "started",
        "reason": "session_created",
        "session_id": "session_01WHOLE",
        "session_url": "https://claude.ai/code/session_01WHOLE",
        "text": "First line\nsecond, “line” with Grüße",
        "text_was": 1000,
        "text_template": "For customers",
        "why": "The release is today.",
        "trial": True,
        "beta_version": "experimental-cc-routine-2026-04-01",
        "api_version": "2023-06-01",
        "attempts": 2,
        "claimed_at": "2026-11-02T12:30:15.123Z",
        "sent_at": "2026-11-02T12:30:15.123Z",
        "settled_at": "2026-11-02T12:30:15.123Z",
        "settled_by": manager.username,
        "duration_ms": 1234,
        "http_status": 200,
        "error_type": "odd",
        "error_message": "None at all",
        "request_id": "req_1",
        "retry_after": "2026-11-02T12:30:15.123Z",
        "outcome": "useful",
        "outcome_note": "Merged",
        "outcome_link": "https://git.example.com/pull/1",
        "outcome_at": "2026-11-02T12:30:15.123Z",
        "outcome_by": manager.username,
    }
    assert exported(manager, Format.JSON_LINES) == [whole]
    in_csv = {name: str(value) for name, value in whole.items()} | {"tags": "docs, web"}
    assert exported(manager, Format.CSV) == [in_csv]
    assert list(whole) == list(COLUMNS)


def test_what_there_is_none_of_is_null_or_empty(manager):
    create_run(reason=Reason.NO_ANSWER, person=manager)
    [run] = exported(manager, Format.JSON_LINES)
    nothing = ("text_was", "settled_by", "duration_ms", "http_status", "retry_after", "outcome_at")
    assert [run[name] for name in nothing] == [None] * 6
    assert (run["text"], run["outcome"], run["tags"], run["trial"]) == ("", "", [], False)
    [row] = exported(manager, Format.CSV)
    assert {row[name] for name in (*nothing, "text", "tags")} == {""}


def test_a_run_that_waits_has_no_moments_yet(manager):
    create_run(reason=Reason.ACCEPTED, person=manager)
    [run] = exported(manager, Format.JSON_LINES, "state=accepted")
    assert (run["state"], run["reason"], run["attempts"]) == ("accepted", "accepted", 0)
    assert [run[name] for name in ("claimed_at", "sent_at", "settled_at")] == [None] * 3


def test_the_page_describes_every_column_in_order():
    rows = [line for line in Path("docs/export.md").read_text().splitlines() if line[:3] == "| `"]
    assert [row.split("`")[1] for row in rows] == list(COLUMNS)


@pytest.mark.parametrize("file_format", Format)
def test_exactly_the_runs_of_the_filter_that_the_person_may_see_newest_first(file_format, manager):
    routine, teammate = create_routine(), create_teammate()
    own = [create_run(routine=routine, person=teammate).pk for _ in range(2)]
    refused = create_run(routine=routine, person=teammate, reason=Reason.PAUSED).pk
    others = create_run(routine=routine, person=manager).pk

    def runs(person: Person, query: str = "") -> list[int]:
        return [int(run["run"]) for run in exported(person, file_format, query)]

    assert runs(manager) == [others, refused, *reversed(own)]
    assert runs(teammate) == [refused, *reversed(own)]
    assert runs(teammate, "state=started") == [*reversed(own)]
    assert runs(manager, f"state=started&person={teammate.username}") == [*reversed(own)]
    assert runs(create_teammate()) == []


def test_batches_leave_nothing_out_and_nothing_twice(manager, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 3)
    routine = create_routine()
    made = [create_run(routine=routine, person=manager).pk for _ in range(10)]
    taken = export.take(manager, RunFilter(), Format.JSON_LINES)
    lines = taken.lines()
    first = next(lines)
    # The reader is slow: meanwhile a run is deleted, and one arrives.
    Run.objects.get(pk=made[0]).delete()
    create_run(routine=routine, person=manager)
    rest = "".join(lines)
    assert taken.count == 10
    assert [json.loads(line)["run"] for line in (first + rest).splitlines()] == made[:0:-1]


def test_nothing_stays_open_between_two_batches(manager, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 1)
    for _ in range(3):
        create_run(person=manager)
    lines = export.take(manager, RunFilter(), Format.CSV).lines()
    next(lines)
    with CaptureQueriesContext(connection) as captured:
        next(lines)
    # One query, read to its end, that names its runs: no cursor that waits for the reader.
    [query] = captured.captured_queries
    assert " IN (" in query["sql"]
    assert not any(word in query["sql"] for word in ("DECLARE", "FETCH", "OFFSET", "BEGIN"))


def test_more_runs_cost_no_more_queries_than_batches(manager):
    def queries(runs: int) -> int:
        for _ in range(runs):
            create_run(person=manager)
        with CaptureQueriesContext(connection) as captured:
            "".join(export.take(manager, RunFilter(), Format.CSV).lines())
        return len(captured)

    queries(1)  # the person's rights are looked up once
    assert queries(2) == queries(20)


def test_the_audit_trail_says_who_took_what_before_the_first_line(manager):
    create_run(person=manager)
    create_run(person=manager, reason=Reason.PAUSED)
    export.take(manager, RunFilter.from_query("state=refused&before=1-2"), Format.CSV)
    event = AuditEvent.objects.get(action=AuditEvent.Action.EXPORTED)
    assert (event.person, event.subject) == (manager, "1 run as CSV")
    assert event.changes == {"filter": [None, "state=refused"], "runs": [None, 1]}


def test_what_is_registered_while_an_export_is_read_does_not_cut_it(manager, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 1)
    first = create_run(person=manager)
    create_run(person=manager)
    lines = export.take(manager, RunFilter(), Format.JSON_LINES).lines()
    next(lines)
    late = create_routine(name="Late", routine_id="trig_late")
    late.tags.add(Tag.objects.create(name="new"))
    colleague = create_teammate(username="late-comer")
    Run.objects.filter(pk=first.pk).update(routine=late, settled_by=colleague)
    [row] = [json.loads(line) for line in "".join(lines).splitlines()]
    assert (row["run"], row["routine"], row["routine_id"]) == (first.pk, "Late", "trig_late")
    assert row["settled_by"] == "late-comer"


# --- What a spreadsheet would take for a formula ---

FORMULAS = (
    *("=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("https://x.example","click")'),
    *(" =1+1", "\u00a0=1+1", "\t=1+1", "\n=1+1", "\r\n@x", "\u200b=1+1", "\ufeff=1", "＝1+1"),
    *("\tplain", "\x00=1", "=cmd|' /C calc'!A0"),
    # Case 56, and what else hides a sign or is one: invisible marks, full width, small forms.
    *("\t=1", "\u200b=1", "+49 30 1234", "\u200b\u2060\ufeff=1", "\u00ad=1", "\u200e+1", "\x85-1"),
    *("＋1", "－1", "＠x", " ＝1+1", "\u200b＝1", "﹦1", "﹢1", "﹣1", "﹫x", "\r=1", "\u3000=1"),
)
NUMBERS = ("000123", "1E10", "3/4", "12345678901234567890")  # case 56: kept, and said on the page


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_escaped(formula):
    assert spreadsheet.escape_formula(formula) == f"'{formula}"


@pytest.mark.parametrize(
    "text", [*NUMBERS, "", "a = b", "1-1", "INC-1: look", "(=)", "'=1", "Grüße", "{"]
)
def test_any_other_text_is_left_alone(text):
    assert spreadsheet.escape_formula(text) == text


def test_every_column_that_people_or_the_endpoint_fill_is_escaped_in_csv_and_only_there(manager):
    evil = "=1+1"
    person = create_teammate(username="+person")
    routine = create_routine(name=evil, account=evil)
    routine.tags.add(Tag.objects.create(name=evil))
    free = (
        *("text", "template_name", "why", "beta_version", "error_type", "error_message"),
        *("request_id", "session_id", "session_url", "outcome_note", "outcome_link"),
    )
    create_run(routine=routine, person=person, settled_by=person, outcome_by=person)
    Run.objects.update(api_version=evil, **dict.fromkeys(free, evil))
    [row] = exported(manager, Format.CSV)
    assert {name for name, cell in row.items() if cell[:1] in ("=", "+", "-", "@")} == set()
    names = {name for name, cell in row.items() if cell in (f"'{evil}", "'+person")}
    assert len(names) == len(free) + 7
    [run] = exported(manager, Format.JSON_LINES)
    assert {run[name] for name in names - {"tags"}} == {evil, "+person"}


@pytest.mark.parametrize("text", NUMBERS)
def test_the_page_says_what_a_spreadsheet_makes_of_numbers_and_how_to_keep_them(manager, text):
    create_run(person=manager, text=text)
    [row] = exported(manager, Format.CSV)
    assert row["text"] == text
    page = Path("docs/export.md").read_text()
    assert f"`{text}`" in page
    assert "*Text*" in page
    assert "separator=semicolon" in page


def test_semicolons_may_stand_between_the_cells(manager):
    create_run(person=manager, text="a;=1+1, b")
    lines = export.take(manager, RunFilter(), Format.CSV).lines(separator=";")
    rows = list(csv.reader(io.StringIO("".join(lines)), delimiter=";"))
    assert rows[0][1:3] == ["pressed_at", "routine"]
    assert rows[1][export.COLUMNS.index("text")] == "a;=1+1, b"
