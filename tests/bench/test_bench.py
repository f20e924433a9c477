"""The benchmark still runs: its figures are for people, its answers are checked."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from routines.models import Run
from routines.values.reasons import OPEN, State
from tests.bench import api, board, content, export, fire, history, insight, million, queue

# One database for all of them, which is filled once, so they go to one process.
RUNS, ROUTINES = 900, 60
LITTLE = queue.Size(
    intents=(10,),
    places=8,
    answer_after=0.1,
    accepted=16,
    hanging=7,
    hanging_places=8,
    waiting=5,
    page_looks=1,
    idle_seconds=0.5,
)
KINDS: list[million.Kind] = ["sqlite"]
if "TEST_DATABASE_URL" in os.environ:
    KINDS.append("postgresql")


filled = pytest.mark.usefixtures("filled_database")
in_one_process = pytest.mark.xdist_group("filled database")


@pytest.fixture(scope="module")
def filled_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("bench")
    with mock.patch.dict(os.environ, {"BENCH_FOLDER": str(folder)}):
        yield
        for kind in KINDS:
            million.drop(kind, runs=RUNS, routines=ROUTINES)


def test_the_fire_benchmark_runs_and_tells_each_aim(capsys: pytest.CaptureFixture[str]):
    fire.measure(rounds=2)
    told = capsys.readouterr().out
    assert told.count("  aim ") == 4 * len(KINDS)
    assert "curl process" in told


@pytest.mark.django_db(transaction=True)
def test_the_api_benchmark_runs_and_tells_each_aim(capsys: pytest.CaptureFixture[str]):
    api.measure(rounds=2, size=api.Size(callers=(1, 4), keys=2, seconds=0.3, turns=1))
    told = capsys.readouterr().out
    assert told.count("  aim ") == 4 * len(KINDS)
    assert told.count("curl to the endpoint itself") == 2 * len(KINDS)
    assert told.count("without any middleware") == 2 * len(KINDS)


@pytest.mark.django_db(transaction=True)
def test_the_queue_benchmark_runs_and_tells_each_aim(capsys: pytest.CaptureFixture[str]):
    queue.measure(rounds=2, size=LITTLE)
    told = capsys.readouterr().out
    assert told.count("  aim ") == 4 * len(KINDS)
    assert told.count("accepting, 16 at once") == len(KINDS)
    assert told.count("nothing to do: ") == len(KINDS)


@pytest.mark.django_db(transaction=True)
@filled
@in_one_process
def test_the_insight_benchmark_runs_and_tells_each_aim(capsys: pytest.CaptureFixture[str]):
    insight.measure(rounds=2, many=RUNS, few=RUNS)
    told = capsys.readouterr().out
    assert told.count("  aim ") == 7 * len(KINDS)
    assert told.count("1000 days") == len(KINDS)


@pytest.mark.django_db(transaction=True)
@filled
@in_one_process
def test_the_board_benchmark_runs_and_its_queries_stay_the_same(
    capsys: pytest.CaptureFixture[str],
):
    board.measure(
        rounds=2,
        runs=RUNS,
        routines=ROUTINES,
        few=(RUNS, ROUTINES),
        rated=ROUTINES,
        seconds=0.2,
    )
    told = capsys.readouterr().out
    assert told.count("  aim ") == 5 * len(KINDS)
    assert "a bare signed-in page" in told
    assert "aim met     at most 10 queries" in told
    assert "aim met     a first visit under 100 kB" in told


@pytest.mark.django_db(transaction=True)
@filled
@in_one_process
def test_the_filled_database_holds_what_the_benchmarks_look_for_and_they_run_on_it(
    capsys: pytest.CaptureFixture[str],
):
    kind = KINDS[-1]
    assert not Run.objects.exists()
    with million.database(kind, runs=RUNS, scratch=True) as db:
        assert Run.objects.count() == RUNS
        assert set(Run.objects.values_list("state", flat=True)) == {*State} - {*OPEN}
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
    with million.database(kind, runs=RUNS) as db:
        assert Run.objects.count() == RUNS  # what was done to the copy was done to it alone
    history.measure_on(kind, rounds=2, many=RUNS, few=RUNS)
    told = capsys.readouterr().out
    assert told.count("  aim ") == 6
    for group in (history.FILTERS, history.PAIRS, history.SEARCHES, history.FILTERED_SEARCHES):
        assert all(name in told for name in group)
    export.measure_on(kind, RUNS)
    assert capsys.readouterr().out.count("  aim ") == 4
