"""`make serve` on a server: all is prepared, then both processes run, or the web server alone."""

import socket
import stat
import sys
from contextlib import closing
from pathlib import Path

from tests.server.endpoint import listening
from tests.server.processes import command_of, copied_product, running
from tests.server.product import Database, wait_until

SERVE = [sys.executable, "-m", "dashboard.serving.serve"]


def test_one_command_prepares_all_and_runs_both(tmp_path: Path):
    product = copied_product(tmp_path)
    database = Database(f"sqlite:///{product / 'var' / 'fresh.sqlite3'}")
    with (
        listening() as (_, url),
        running(SERVE, database, url, tmp_path, product) as whole,
    ):
        assert "dashboard.serving.starter" in command_of(whole.process.pid)
        assert whole.pid_of("gunicorn") != whole.pid_of("manage.py worker")
        wait_until(lambda: whole.log.read_text().count(" start version=") == 2)
        assert " process=worker" in whole.log.read_text()
        whole.stop()
        assert whole.process.wait(60) == 0
        assert whole.living() == []
    written = list((product / "var").glob("fresh.sqlite3*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}


def test_without_the_worker_it_is_gunicorn_itself(tmp_path: Path):
    """As a service of its own: systemd has gunicorn's own process, which says when it is ready."""
    product = copied_product(tmp_path)
    database = Database(f"sqlite:///{product / 'var' / 'fresh.sqlite3'}")
    told = tmp_path / "notify"
    with (
        closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd,
        listening() as (_, url),
    ):
        systemd.bind(str(told))
        command = [*SERVE, "--web-only"]
        with running(command, database, url, tmp_path, product, NOTIFY_SOCKET=str(told)) as whole:
            assert "gunicorn" in command_of(whole.process.pid)
            assert whole.pids("manage.py worker") == []
            assert systemd.recv(1000).startswith(b"READY=1")
            whole.stop()
            assert whole.process.wait(60) == 0
            wait_until(lambda: not whole.living())
