"""A finding of the web scanner counts unless a written reason covers exactly it."""

import pytest

from tests.scan import findings
from tests.scan.findings import REASONS, Reason, without_reason

FOUND = {"method": "GET", "path": "/history/", "info": "Found it", "parameter": "q", "level": 2}


def report(category: str = "XSS", **changes: str) -> dict[str, object]:
    found = {category: [FOUND | changes], "Other": []}
    return {"vulnerabilities": found, "anomalies": {}, "additionals": {"Hint": [FOUND]}}


def test_a_finding_without_a_reason_counts(monkeypatch):
    [found] = without_reason(report())
    assert str(found) == "XSS: GET /history/ (q): Found it"


def test_a_reason_covers_its_category_path_and_information_only(monkeypatch):
    monkeypatch.setattr(findings, "REASONS", [Reason("XSS", "/history/", "Found .*", "why")])
    assert without_reason(report()) == []
    for other in (report("SQL"), report(path="/history/1/"), report(info="Not Found it")):
        assert len(without_reason(other)) == 1


def test_an_anomaly_counts_like_a_vulnerability():
    odd = {"vulnerabilities": {}, "anomalies": {"Internal Server Error": [FOUND]}}
    assert len(without_reason(odd)) == 1


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.category)
def test_every_reason_says_why_and_covers_not_everything(reason):
    assert len(reason.why) > 40
    assert reason.path not in ("", ".*")
    assert reason.info not in ("", ".*")
