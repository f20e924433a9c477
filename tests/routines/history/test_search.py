"""Searching runs by words: what matches, on both databases alike, and that nothing is forgotten."""

from datetime import UTC, datetime
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F

from routines.history import search
from routines.history.search import Words
from routines.models import Run
from routines.registry import header_versions
from routines.values.reasons import Reason, State
from tests.factories import create_routine, create_run, create_teammate

pytestmark = pytest.mark.django_db


def found(typed: str) -> set[int]:
    """By the index; and by reading the runs themselves, which must say the same."""
    words = Words.read(typed)
    by_index = {run.pk for run in Run.objects.filter(words.by_index())}
    assert {run.pk for run in Run.objects.filter(words.by_run())} == by_index
    return by_index


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
            Words.read(typed)
    else:
        assert found(typed) == {run.pk}


@pytest.mark.parametrize(
    "typed", ["deplo", "eploy", "deploy rollback", "ubersicht", "kamelcase", "本日"]
)
def test_parts_of_words_and_words_that_are_not_all_there_do_not_match(typed):
    create_run(text=TEXT)
    assert found(typed) == set()


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
        Words.read(typed)


@pytest.mark.parametrize(
    "typed", ["x" * 500, "ß" * 500, "É" * 100, "x\x00y", "İ", "ﬀ", "𝔘𝔫𝔦", "\u0301a", "क्षि"]
)
def test_odd_words_are_found(typed):
    run = create_run(text=f"See {typed.replace(chr(0), ' ')}!")
    assert found(typed) == {run.pk}


def test_the_longest_text_is_kept_and_its_words_are_found():
    words = [f"word{number}" for number in range(7000)]
    run = create_run(text=" ".join(words)[:65_536])
    assert found("word0 word6500") == {run.pk}
    assert found("x" * 70) == set()
    run = create_run(text="x" * 65_536)
    assert found("x" * 500) == {run.pk}


def test_the_longest_text_of_pairs_can_be_kept():
    """PostgreSQL has a limit for the words of a row: no text may run into it."""
    run = create_run(text="".join(chr(0x20000 + number % 40_000) for number in range(65_536)))
    assert found("\U00020001\U00020002") == {run.pk}


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


def test_objects_updated_together_are_found_by_their_new_words():
    runs = [create_run(text=f"first{number}") for number in range(2)]
    for run in runs:
        run.text = run.text.replace("first", "second")
    Run.objects.bulk_update(runs, ["text"])
    assert (found("first1"), found("second1")) == (set(), {runs[1].pk})


def test_a_text_that_only_the_database_knows_is_refused_unless_its_words_are_given():
    create_run(text="needle")
    with pytest.raises(TypeError, match="text_words"):
        Run.objects.update(text=F("why"))
    assert len(found("needle")) == 1


def test_runs_without_words_get_them_after_a_migration_and_by_command():
    run = create_run(text="needle")
    Run.objects.update(text_words=None)
    assert found("needle") == set()
    search.install()
    assert found("needle") == {run.pk}
    out = StringIO()
    call_command("rebuild_search", stdout=out)
    assert out.getvalue() == "Made the words of 1 run.\n"
    assert found("needle") == {run.pk}


def test_the_index_can_be_made_anew():
    run = create_run(text="needle")
    assert list(search.rebuild()) == [1]
    assert found("needle") == {run.pk}
    Run.objects.all().delete()
    assert found("needle") == set()


def test_a_table_made_anew_loses_no_trigger():
    """As migrations on SQLite do it: afterwards, what is missing is made."""
    with connection.cursor() as cursor:
        on_run = "" if connection.vendor == "sqlite" else " ON routines_run"
        cursor.execute(f"DROP TRIGGER routines_run_search_insert{on_run}")
    search.install()
    search.install()
    run = create_run(text="needle")
    assert found("needle") == {run.pk}
