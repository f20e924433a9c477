"""The systemd units of docs/: a user of their own, files of their own, and time to stop."""

import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from dashboard.serving import receiving
from dashboard.serving.commands import WORKER
from dashboard.settings import BASE_DIR
from tests.server.product import Database, environment

UNITS = BASE_DIR / "docs" / "systemd"
DEFAULT_FIRE_TIMEOUT = 30


def unit(name: str) -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(UNITS / name)
    return parser


PROCESSES = ["routines.service", "routines-worker.service"]


@pytest.mark.parametrize("name", PROCESSES)
def test_a_service_runs_as_a_user_of_its_own_and_writes_for_it_alone(name: str):
    service = unit(name)["Service"]
    assert service["User"] not in ("", "root")
    assert service["UMask"] == "0077"
    assert (service["ProtectSystem"], service["NoNewPrivileges"]) == ("strict", "yes")


def test_a_stop_waits_for_fires_whose_press_is_still_arriving(tmp_path: Path):
    """A press may come slowly, and fires once it is whole: its answer must find somebody."""
    database = Database(f"sqlite:///{tmp_path / 'none.sqlite3'}")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from dashboard.serving import gunicorn_conf; print(gunicorn_conf.graceful_timeout)",
        ],
        env=environment(database, "http://127.0.0.1:9", port=8000),
        capture_output=True,
        text=True,
        check=True,
    )
    arriving = receiving.HEAD_SECONDS + receiving.BODY_SECONDS
    gunicorn_waits = int(done.stdout)
    assert gunicorn_waits > DEFAULT_FIRE_TIMEOUT + arriving
    assert int(unit("routines.service")["Service"]["TimeoutStopSec"]) > gunicorn_waits


@pytest.mark.parametrize("name", PROCESSES)
def test_a_stop_waits_for_fires_in_flight_and_a_crash_is_no_end(name: str):
    service = unit(name)["Service"]
    assert int(service["TimeoutStopSec"]) == DEFAULT_FIRE_TIMEOUT + 60
    readme = (BASE_DIR / "README.md").read_text()
    assert re.search(rf"`FIRE_TIMEOUT` \| {DEFAULT_FIRE_TIMEOUT} \|", readme)
    assert (service["Restart"], service["KillMode"]) == ("on-failure", "mixed")
    assert int(service["LimitNOFILE"]) > 10_000


def test_each_unit_starts_one_process_and_the_worker_waits_for_the_migrations():
    web, worker = map(unit, PROCESSES)
    assert web["Service"]["ExecStart"].endswith(" -m dashboard.serving.serve --web-only")
    assert worker["Service"]["ExecStart"].endswith(f" {' '.join(WORKER[1:])}")
    # gunicorn says when it is ready, in the place of what has migrated: test_serve.py.
    assert web["Service"]["Type"] == "notify"
    assert "routines.service" in worker["Unit"]["After"].split()
    of_web, of_worker = (set(one["Service"].items()) for one in (web, worker))
    assert {name for name, _ in of_web ^ of_worker} == {"ExecStart", "Type", "TimeoutStartSec"}


def test_systemd_itself_has_nothing_to_say_of_them(tmp_path: Path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd here")
    for path in UNITS.iterdir():
        here = path.read_text().replace("/srv/routines", str(BASE_DIR))
        (tmp_path / path.name).write_text(here)
    done = subprocess.run(
        ["systemd-analyze", "verify", *sorted(map(str, tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
