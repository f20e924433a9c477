"""The benchmark still runs: its figures are for people, its answers are checked."""

import os
from typing import Any

import pytest

from routines.models import Run
from routines.values.reasons import State
from tests.bench import board, content, export, fire, history, insight, million


def test_the_fire_benchmark_runs_and_tells_each_aim(capsys: pytest.CaptureFixture[str]):
    databases = 2 if "TEST_DATABASE_URL" in os.environ else 1
    fire.measure(rounds=2)
    told = capsys.readouterr().out
    assert told.count("  aim ") == 4 * databases
    assert "curl process" in told


@pytest.mark.django_db(transaction=True)
def test_the_insight_benchmark_runs_and_tells_each_aim(
    capsys: pytest.CaptureFixture[str], tmp_path: Any, monkeypatch: Any
):
    databases: list[million.Kind] = ["sqlite"]
    if "TEST_DATABASE_URL" in os.environ:
        databases.append("postgresql")
    monkeypatch.setenv("BENCH_FOLDER", str(tmp_path))
    try:
        insight.measure(rounds=2, many=600, few=200)
    finally:
        for kind in databases:
            for runs in (200, 600):
                million.drop(kind, runs=runs, routines=60)
    told = capsys.readouterr().out
    assert told.count("  aim ") == 7 * len(databases)
    assert told.count("1000 days") == len(databases)


@pytest.mark.django_db(transaction=True)
def test_the_board_benchmark_runs_and_its_queries_stay_the_same(
    tmp_path: Any, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("BENCH_FOLDER", str(tmp_path))
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    board.measure(rounds=2, runs=60, routines=20)
    told = capsys.readouterr().out
    assert told.count("  aim ") == 5
    assert "a bare signed-in page" in told
    assert "aim met     at most 10 queries" in told
    assert "aim met     a first visit under 100 kB" in told


@pytest.mark.django_db(transaction=True)
def test_the_filled_database_holds_what_the_benchmarks_look_for_and_they_run_on_it(
    tmp_path: Any, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("BENCH_FOLDER", str(tmp_path))
    kind: million.Kind = "postgresql" if "TEST_DATABASE_URL" in os.environ else "sqlite"
    assert not Run.objects.exists()
    with million.database(kind, runs=900, scratch=True) as db:
        assert Run.objects.count() == 900
        assert set(Run.objects.values_list("state", flat=True)) == {*State} - {State.SENDING}
        found = {
            word: Run.objects.filter(text__icontains=word).count()
            for word in (content.RARE_WORD, content.COMMON_WORD, content.ABSENT_WORD)
        }
        assert found[content.RARE_WORD] == content.RARE_RUNS
        assert 200 < found[content.COMMON_WORD] < 500
        assert found[content.ABSENT_WORD] == 0
        assert db.client(db.manager).get("/history/").status_code == 200
        Run.objects.all().delete()
    assert not Run.objects.exists()  # the tests' own database is back
    with million.database(kind, runs=900) as db:
        assert Run.objects.count() == 900  # what was done to the copy was done to it alone
    history.measure_on(kind, rounds=2, many=900, few=900)
    told = capsys.readouterr().out
    assert told.count("  aim ") == 6
    for group in (history.FILTERS, history.PAIRS, history.SEARCHES, history.FILTERED_SEARCHES):
        assert all(name in told for name in group)
    export.measure_on(kind, 900)
    assert capsys.readouterr().out.count("  aim ") == 4
    million.drop(kind, runs=900, routines=60)
