"""An audit that could not look anything up does not pass for one that found nothing."""

import json

from tests.supply_chain.audit import read

SKIPPED = {"name": "anyio", "skip_reason": "Dependency not found on PyPI"}
CLEAN = {"name": "django", "version": "5.2.19", "vulns": []}
VULNERABLE = {
    "name": "httpx",
    "version": "0.1",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.2"], "aliases": [], "description": "x"}],
}


def report(*dependencies: object) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


def test_all_looked_up_and_nothing_found():
    audit = read(report(CLEAN))
    assert (audit.problem(), audit.vulnerable) == ("", [])


def test_no_data_is_said():
    for silent in (report(SKIPPED), report(), "", "Traceback", "[]"):
        assert read(silent).problem().startswith("NOT AUDITED: the data")


def test_what_was_left_out_is_named():
    assert read(report(CLEAN, SKIPPED)).problem().endswith("of them: anyio.")


def test_a_vulnerability_is_named_with_its_remedy():
    assert read(report(CLEAN, VULNERABLE)).vulnerable == ["httpx 0.1: PYSEC-1, mended in 0.2"]
