"""What a web scanner reported, and the findings that have a written reason."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    category: str
    method: str
    path: str
    parameter: str
    info: str

    def __str__(self) -> str:
        where = f"{self.method} {self.path}"
        named = f" ({self.parameter})" if self.parameter else ""
        return f"{self.category}: {where}{named}: {self.info}"


@dataclass(frozen=True)
class Reason:
    """Why a finding is none: it applies to one category, where path and information match whole."""

    category: str
    path: str
    info: str
    why: str

    def covers(self, finding: Finding) -> bool:
        return (
            finding.category == self.category
            and re.fullmatch(self.path, finding.path) is not None
            and re.fullmatch(self.info, finding.info, re.DOTALL) is not None
        )


REASONS = [
    Reason(
        "Secure Flag cookie",
        "/",
        r"Secure flag is not set in the cookie : (csrftoken|sessionid|messages)",
        "The scan talks plain http to loopback, where such a cookie would not come back. With an "
        "https DASHBOARD_URL all are Secure (tests/dashboard/serving/test_environment.py); that of "
        "messages, by which a notice outlives a redirect, follows SESSION_COOKIE_SECURE.",
    ),
]


def findings(report: dict[str, Any]) -> Iterator[Finding]:
    """Those of wapiti's JSON report; what it lists as additional is no finding."""
    for kind in ("vulnerabilities", "anomalies"):
        for category, entries in report[kind].items():
            for entry in entries:
                yield Finding(
                    category,
                    entry["method"],
                    entry["path"],
                    entry.get("parameter") or "",
                    entry["info"],
                )


def without_reason(report: dict[str, Any]) -> list[Finding]:
    return [one for one in findings(report) if not any(reason.covers(one) for reason in REASONS)]
