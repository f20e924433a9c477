"""The benchmark still runs: its figures are for people, its answers are checked."""

import os

import pytest

from tests.bench import fire


def test_the_fire_benchmark_runs_and_tells_each_aim(capsys: pytest.CaptureFixture[str]):
    databases = 2 if "TEST_DATABASE_URL" in os.environ else 1
    fire.measure(rounds=2)
    told = capsys.readouterr().out
    assert told.count("  aim ") == 4 * databases
    assert "curl process" in told
