"""`make contract`: schemathesis makes requests of the API's document, and judges the answers by it.

It lives in an environment of its own; the product is the one that runs on a server, on a database
of its own, against the practice API. Ends with 1 if an answer is not as the document says, if
something breaks, or if too little was asked to be a proof.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from routines.practice_api import PracticeServer
from tests.server.product import Database, environment, new_database, serving
from tests.server.workers import working

REPORT = Path("var/contract").absolute()
SEED = 15  # the same requests each time; what is new is for who runs it with another
_LEAST_CASES = 200
_SETTINGS = {"FIRE_TIMEOUT": "8"}
_REQUEST_TIMEOUT = 40  # seconds; a call may wait for a fire, and the machine may be busy
_BROKEN = "Traceback (most recent call last)"
_CASES = re.compile(r"([0-9,]+) generated")
# Of a valid request, too: what no schema can tell (a template's name, an Idempotency-Key that was
# used), what the endpoint refused, caps and holds.
_CONFIG = """
[parameters]
"path.reference" = "{routine}"
"path.id" = {run}

[checks]
positive_data_acceptance.expected-statuses = [
    "2xx", "401", "403", "404", "409", "422", "424", "429"
]
# Its own list, and 414: what is far too long never gets as far as to be judged.
negative_data_rejection.expected-statuses = [
    "400", "401", "403", "404", "405", "406", "409", "414", "415", "422", "428", "429", "5xx"
]
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.contract", description=__doc__)
    parser.add_argument("--schemathesis", required=True, help="its command")
    parser.add_argument("--seconds", type=int, default=60, help="of asking")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    began = time.monotonic()
    known: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, PracticeServer() as endpoint:
        folder = Path(name)

        def seed(database: Database) -> None:
            known.update(_seeded(environment(database, endpoint.url, port=8000)))

        with (
            new_database(folder, seed) as database,
            # What is accepted is sent, too: a repeated call may wait for it.
            working(database, endpoint.url, folder, **_SETTINGS) as worker,
            serving(database, endpoint.url, folder, **_SETTINGS) as product,
        ):
            code = ask(options, product.url, known, folder)
            broken = sum(log.count(_BROKEN) for log in (product.log.read_text(), worker.log))
    counted = cases((REPORT / "output.txt").read_text())
    print(f"contract: {counted} requests, {time.monotonic() - began:.0f} s; report in {REPORT}")
    if broken:
        print(f"  the product's logs tell of {broken} failures")
    if counted < _LEAST_CASES:
        print(f"  so few are no proof: expected {_LEAST_CASES} at least")
    return 0 if is_good(code, broken, counted) else 1


def is_good(code: int, broken: int, asked: int) -> bool:
    return code == 0 and not broken and asked >= _LEAST_CASES


def ask(options: argparse.Namespace, url: str, known: Mapping[str, Any], folder: Path) -> int:
    config = folder / "schemathesis.toml"
    config.write_text(_CONFIG.format_map(known))
    REPORT.mkdir(parents=True, exist_ok=True)
    command = [str(Path(options.schemathesis).absolute()), "--config-file", str(config), "run"]
    command += [f"{url}/api/openapi.json", "--header", f"Authorization:Bearer {known['secret']}"]
    command += ["--phases", "coverage,fuzzing", "--max-time", str(options.seconds)]
    command += ["--request-timeout", str(_REQUEST_TIMEOUT)]
    command += ["--seed", str(options.seed), "--generation-database", "none", "--no-color"]
    command += ["--report", "ndjson,junit", "--report-dir", str(REPORT)]
    command += ["--report-ndjson-path", str(REPORT / "report.ndjson")]
    command += ["--report-junit-path", str(REPORT / "junit.xml")]
    # It keeps a folder of its own beside itself.
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    (REPORT / "output.txt").write_text(done.stdout + done.stderr)
    if done.returncode:
        print(done.stdout[-20_000:], done.stderr[-2_000:], sep="\n")
    return done.returncode


def cases(output: str) -> int:
    """How many requests schemathesis says that it made."""
    found = _CASES.search(output)
    return int(found[1].replace(",", "")) if found else 0


def _seeded(settings: dict[str, str]) -> Any:
    command = [sys.executable, "-m", "tests.contract.seed"]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)
