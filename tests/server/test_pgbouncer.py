"""Behind PgBouncer, from Debian, in transaction mode: each transaction may have another connection.

What belongs to a connection is lost there: cursors that outlive a transaction, `SET`, locks of a
session, prepared statements: the product uses none of these. Notices (LISTEN) are lost, too, and
only hints to the worker.
"""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from routines.practice_api import PracticeServer
from tests import daemons
from tests.server.product import Database, manage, runs_in, serving, wait_until
from tests.server.seed import SLUG
from tests.server.workers import accept, working

EXPORTS = 20
RUNS = 3
STARTED = ("started", "session_created")


@pytest.fixture
def pooled(database: Database, tmp_path: Path) -> Iterator[Database]:
    if database.is_sqlite:
        pytest.skip("PgBouncer stands in front of PostgreSQL.")
    server, port = urlsplit(database.url), daemons.free_port()
    password = f" password='{unquote(server.password)}'" if server.password else ""
    config = tmp_path / "pgbouncer.ini"
    config.write_text(
        "[databases]\n"
        f"* = host={server.hostname} port={server.port or 5432} user={server.username}{password}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        "auth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n"
        f"{'user = nobody' if os.geteuid() == 0 else ''}\n"
    )
    command = [daemons.program("pgbouncer"), str(config)]
    with daemons.running(command, port=port, log=tmp_path / "pgbouncer.log"):
        yield Database(f"postgresql://somebody@127.0.0.1:{port}{server.path}")


def test_exports_beside_other_pages_all_come_whole(pooled: Database, tmp_path: Path):
    with PracticeServer() as endpoint, serving(pooled, endpoint.url, tmp_path) as product:
        visitor = product.visitor()
        for _ in range(RUNS):
            assert runs_in(visitor.press(SLUG, visitor.form(SLUG)))
        exported = threading.Event()
        looked: list[tuple[str, int]] = []

        def look(page: str) -> None:
            with visitor.another_tab() as tab:
                while not exported.is_set():
                    looked.append((page, tab.get(product.url + page).status_code))

        lookers = [
            threading.Thread(target=look, args=(page,))
            for page in ("/", "/history/", "/history/?q=notes", f"/routines/{SLUG}/run/")
        ]
        for looker in lookers:
            looker.start()
        try:
            exports = [visitor.client.get("/history/runs.csv") for _ in range(EXPORTS)]
        finally:
            exported.set()
            for looker in lookers:
                looker.join()
        log = product.log.read_text()

    assert [one.status_code for one in exports] == [200] * EXPORTS
    assert {len(one.text.splitlines()) for one in exports} == {1 + RUNS}
    assert {status for _, status in looked} == {200}
    assert {page for page, _ in looked} == {"/", "/history/", "/history/?q=notes"} | {
        f"/routines/{SLUG}/run/"
    }
    assert "Traceback" not in log


def test_commands_do_their_work_through_it(pooled: Database):
    for command in (["migrate"], ["count_runs"], ["rebuild_search"], ["retention"]):
        manage(pooled, "http://127.0.0.1:9", *command)


def test_a_worker_finds_what_waits_though_no_notice_comes_through(pooled: Database, tmp_path: Path):
    with (
        PracticeServer() as endpoint,
        working(pooled, endpoint.url, tmp_path) as worker,
    ):
        for number in range(1, 4):
            accept(pooled, 1)
            wait_until(lambda number=number: pooled.states() == [STARTED] * number)
        assert worker.stop() == 0
    assert endpoint.api.requests == 3
    assert "WARNING" not in worker.log
    assert "Traceback" not in worker.log
