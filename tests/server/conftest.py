import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.product import Database, copied, new_database
from tests.server.workers import acceptor


@pytest.fixture(autouse=True, scope="session")
def signals_reach_the_product() -> Iterator[None]:
    """A suite that was started in the background, or by nohup, hands on that it ignores some."""
    ignored = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGINT, signal.SIGHUP)
        if signal.getsignal(number) == signal.SIG_IGN
    }
    yield
    for number, before in ignored.items():
        signal.signal(number, before)


@pytest.fixture(autouse=True, scope="session")
def no_process_is_left() -> Iterator[None]:
    yield
    acceptor.end()


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with new_database(tmp_path_factory.mktemp("product")) as database:
        yield database


@pytest.fixture
def database(seeded: Database, tmp_path: Path) -> Database:
    """Seeded, with no run yet."""
    if seeded.is_sqlite:
        return copied(seeded, tmp_path)
    for table in ("attempt", "run", "worker"):
        seeded.write(f"DELETE FROM routines_{table}")  # noqa: S608
    seeded.write("UPDATE routines_routine SET held_until = NULL")
    return seeded
