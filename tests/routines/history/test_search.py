"""Searching runs by words: what matches, on both databases alike, and that nothing is forgotten."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from routines.history import search
from routines.history.search.words import facet
from routines.models import Run
from routines.registry import header_versions
from routines.values.periods import Span
from routines.values.reasons import Reason, State
from tests.factories import create_routine, create_run, create_teammate

pytestmark = pytest.mark.django_db


def found(typed: str) -> set[int]:
    return {run.pk for run in Run.objects.filter(search.matching(typed))}


TEXT = """INC-4711: Deploy of the check-out failed at 12:30: https://ci.example.com/build/98?x=y#z
see Übersicht für naïve Größen… “quoted” (brackets) snake_case camelCase v1.2.3 a+b=c 50% 日本語
emoji🚀end {"json": ["key", null]}"""


@pytest.mark.parametrize(
    "typed",
    [
        *("deploy", "DEPLOY", "  deploy  ", "INC-4711", "4711", "inc 4711", "12:30", "check-out"),
        *("https://ci.example.com/build/98?x=y#z", "übersicht", "ÜBERSICHT", "größen", "naïve"),
        *("“quoted”", "quoted", "(brackets)", "snake_case", "snake", "camelcase", "2.3", "v1"),
        *("a+b", "50%", "日本語", "🚀end", '"json"', "null", "failed deploy", "deploy AND see"),
        *("deploy*", '"', "'deploy'", "build:98", "de%ploy_", "-deploy", "^deploy", "NEAR deploy"),
    ],
)
def test_words_match_whole_in_any_order_whatever_stands_between(typed):
    run = create_run(text=TEXT + " and near % de ploy")
    create_run(text="Something else.")
    if typed == '"':
        with pytest.raises(search.NothingToSearch):
            search.matching(typed)
    else:
        assert found(typed) == {run.pk}


@pytest.mark.parametrize(
    "typed", ["deplo", "eploy", "deploy rollback", "ubersicht", "kamelcase", "日本"]
)
def test_parts_of_words_and_words_that_are_not_all_there_do_not_match(typed):
    create_run(text=TEXT)
    assert found(typed) == set()


def test_the_words_that_the_index_keeps_of_its_own_cannot_be_typed():
    run = create_run(text="needle")
    for kind, value in (("p", run.person_id), ("r", run.routine_id), ("a", run.account_id)):
        assert found(facet(kind, value)) == set()


@pytest.mark.parametrize("field", ["text", "why", "outcome_note", "error_message"])
def test_all_four_are_searched(field):
    run = create_run()
    Run.objects.update(**{field: "A needle in it"})
    assert found("needle") == {run.pk}
    # The words of a search may stand in different ones.
    Run.objects.filter(pk=run.pk).update(why="haystack", outcome_note="barn")
    assert found("haystack barn") == {run.pk}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "no word"),
        ("*", "no word"),
        ("!?… — “”", "no word"),
        ("\x00", "no word"),
        ("🚀", "no word"),
        (" ".join(map(str, range(20))), "at most 12 words"),
    ],
)
def test_what_cannot_be_searched_for_is_answered_with_a_sentence(typed, said):
    create_run(text=typed.replace("\x00", " "))
    with pytest.raises(search.NothingToSearch, match=said):
        search.matching(typed)


@pytest.mark.parametrize(
    "typed", ["x" * 500, "ß" * 500, "É" * 100, "x\x00y", "İ", "ﬀ", "𝔘𝔫𝔦", "\u0301a", "क्षि"]
)
def test_odd_words_are_no_error(typed):
    create_run(text=typed.replace("\x00", " ") * 3)
    found(typed)


def test_the_longest_text_is_kept_and_its_words_are_found():
    words = [f"word{number}" for number in range(7000)]
    run = create_run(text=" ".join(words)[:65_536])
    assert found("word0 word6500") == {run.pk}
    assert found("x" * 70) == set()
    run = create_run(text="x" * 65_536)
    assert found("x" * 500) in (set(), {run.pk})


# --- Kept by the database itself ---


def test_every_way_of_writing_runs_is_noted():
    routine, person = create_routine(), create_teammate()
    run = create_run(routine=routine, person=person, text="first")
    run.text = "second"
    run.save()
    assert (found("first"), found("second")) == (set(), {run.pk})
    Run.objects.update(text="third", state=State.UNKNOWN, reason=Reason.NO_ANSWER)
    assert (found("second"), found("third")) == (set(), {run.pk})
    Run.objects.update(created_at=datetime(2020, 2, 2, tzinfo=UTC))
    assert found("third") == {run.pk}
    Run.objects.bulk_create(
        Run(
            key=uuid4(),
            routine=routine,
            person=person,
            text=text,
            api_version=header_versions.API_VERSION,
            state=State.UNKNOWN,
            reason=Reason.NO_ANSWER,
            settled_at=datetime(2020, 2, 2, tzinfo=UTC),
        )
        for text in ("fourth", "fifth")
    )
    assert len(found("fourth")) == len(found("fifth")) == 1
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM routines_run WHERE text = 'fourth'")
    assert found("fourth") == set()
    Run.objects.all().delete()
    assert found("third") == found("fifth") == set()


def test_the_index_can_be_made_anew():
    run = create_run(text="needle")
    search.rebuild()
    assert found("needle") == {run.pk}
    Run.objects.all().delete()
    assert found("needle") == set()


def test_a_table_made_anew_loses_no_trigger():
    """As migrations on SQLite do it: afterwards, what is missing is made."""
    with connection.cursor() as cursor:
        on_run = "" if connection.vendor == "sqlite" else " ON routines_run"
        cursor.execute(f"DROP TRIGGER routines_run_words_insert{on_run}")
    search.install()
    search.install()
    run = create_run(text="needle")
    assert found("needle") == {run.pk}


# --- In the order of time ---


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [3, 50])
def test_candidates_come_in_the_order_of_time_of_a_span(newest_first, limit):
    days = [0, 1, 2, 7, 8, 9, 31, 40, 63, 64, 65, 100, 257, 900, 1500]
    for day in days:
        create_run(text="needle", ago=timedelta(days=day))
        create_run(text="hay", ago=timedelta(days=day))
    matching = Run.objects.filter(text="needle")
    ordered = list(matching.newest_first() if newest_first else matching.newest_first().reverse())
    sought = search.expression("needle")

    def pks(span: Span) -> list[int]:
        rows = search.candidates(sought, span, newest_first=newest_first, limit=limit)
        return [pk for pk, _ in rows]

    assert pks(Span()) == [run.pk for run in ordered][:limit]
    ends = sorted((ordered[2].created_at, ordered[11].created_at))
    assert pks(Span(*ends)) == [run.pk for run in ordered[2:12]][:limit]
    assert pks(Span(end=datetime(2001, 1, 1, tzinfo=UTC))) == []


def test_candidates_are_of_those_asked_for():
    mine, shared, other = create_teammate(), create_routine(), create_routine()
    own = create_run(text="needle", person=mine, routine=other)
    groups = create_run(text="needle", routine=shared)
    foreign = create_run(text="needle", routine=other)

    def pks(*facets):
        sought = search.expression("needle", facets)
        found = search.candidates(sought, Span(), newest_first=True, limit=9)
        assert search.among(sought, found) == {pk for pk, _ in found}
        return {pk for pk, _ in found}

    of_other, of_account = [("r", other.pk)], [("a", shared.account_id)]
    visible = [("p", mine.pk), ("r", shared.pk)]
    assert pks() == {own.pk, groups.pk, foreign.pk}
    assert pks([("p", mine.pk)]) == {own.pk}
    assert pks(visible) == {own.pk, groups.pk}
    assert pks(of_other) == {own.pk, foreign.pk}
    assert pks([("r", 0)]) == set()
    assert pks(of_other, visible) == {own.pk}
    assert pks(of_account) == {own.pk, groups.pk, foreign.pk}
    assert pks([("a", shared.account_id + 1)]) == set()
