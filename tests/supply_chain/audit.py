"""`make audit`: are there known vulnerabilities in what an install gets?

pip-audit lives in an environment of its own. Where its data cannot be reached it says "No known
vulnerabilities found" all the same, so its list is read instead: what was not looked up is said,
loudly, and is a failure with REQUIRE_AUDIT=1. A vulnerability is one always.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

LOCK = "requirements.lock"


@dataclass
class Audit:
    looked_up: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    vulnerable: list[str] = field(default_factory=list)

    def problem(self) -> str:
        """A sentence on what could not be done; empty if every package was looked up."""
        if not self.looked_up:
            return "NOT AUDITED: the data on vulnerabilities cannot be reached from here."
        if self.left_out:
            return f"NOT AUDITED, since nothing is known of them: {', '.join(self.left_out)}."
        return ""


def read(report: str) -> Audit:
    """From pip-audit's JSON; an empty Audit if it wrote none."""
    audit = Audit()
    try:
        dependencies: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return audit
    for dependency in dependencies:
        name = dependency["name"]
        if "skip_reason" in dependency:
            audit.left_out.append(name)
            continue
        audit.looked_up.append(name)
        for vulnerability in dependency["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "no release yet"
            audit.vulnerable.append(
                f"{name} {dependency['version']}: {vulnerability['id']}, mended in {fixed}"
            )
    return audit


def main(python: str) -> int:
    command = [python, "-m", "pip_audit", "--requirement", LOCK, "--require-hashes"]
    command += ["--disable-pip", "--format", "json", "--progress-spinner", "off"]
    audit = read(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    for line in audit.vulnerable:
        print(f"VULNERABLE: {line}")
    print(f"{len(audit.looked_up)} packages looked up, {len(audit.vulnerable)} vulnerabilities.")
    if audit.problem():
        print(audit.problem())
    required = os.environ.get("REQUIRE_AUDIT") == "1"
    return int(bool(audit.vulnerable) or (required and bool(audit.problem())))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
