"""A contract that is broken ends the run, and so does one that was hardly tried."""

import argparse
from pathlib import Path

import pytest

from tests.contract import runner

SUMMARY = "Test cases:\n  1,936 generated, 2 found 2 unique failures, 14 skipped\n"


def pretending(folder: Path, code: int) -> argparse.Namespace:
    """Options whose schemathesis ends so."""
    command = folder / "schemathesis"
    command.write_text(f"#!/bin/sh\nprintf '%s' '{SUMMARY}'\nexit {code}\n")
    command.chmod(0o700)
    return argparse.Namespace(schemathesis=str(command), seconds=1, seed=1)


def test_requests_are_counted_as_schemathesis_says():
    assert runner.cases(SUMMARY) == 1_936
    assert runner.cases("Traceback") == 0


@pytest.mark.parametrize("code", [0, 1])
def test_what_it_found_is_said_and_kept(tmp_path, capsys, monkeypatch, code):
    monkeypatch.setattr(runner, "REPORT", tmp_path / "report")
    known = {"secret": "rdk_x", "routine": "triage", "run": 1}
    found = runner.ask(pretending(tmp_path, code), "http://127.0.0.1:9", known, tmp_path)
    assert found == code
    assert ("unique failures" in capsys.readouterr().out) == bool(code)
    assert (tmp_path / "report" / "output.txt").read_text() == SUMMARY


@pytest.mark.parametrize(
    ("code", "broken", "asked", "good"),
    [(0, 0, 200, True), (1, 0, 200, False), (0, 1, 200, False), (0, 0, 199, False)],
)
def test_only_a_clean_and_thorough_run_is_good(code, broken, asked, good):
    assert runner.is_good(code, broken, asked) == good
