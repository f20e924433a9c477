"""Workers killed at each point of a run's way, and the proof's own eyes. No luck: every kill waits
for what it is to hit. Kills of the web server at the same points: test_stopping.py."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from routines.practice_api import Session
from tests.hostile import HostileServer
from tests.server.books import Books, read
from tests.server.endpoint import Endpoint, KeptAnswer, full_listener, listening
from tests.server.product import Database, wait_until
from tests.server.workers import accept, working

SETTINGS = {"FIRE_TIMEOUT": "30", "FIRES_IN_FLIGHT": "4"}


def states(database: Database) -> Counter[str]:
    return Counter(state for state, _ in database.states())


def assert_it_goes_on(
    database: Database, tmp_path: Path, endpoint: Endpoint, url: str, *, unknown: int
) -> None:
    """With another worker, once what was being sent is nobody's any more: every run has ended."""
    database.age_all_runs()
    with working(database, url, tmp_path, **SETTINGS):
        accept(database, 1)
        wait_until(lambda: not states(database).keys() & {"accepted", "sending"})
    assert states(database) == Counter(started=len(database.states()) - unknown, unknown=unknown)
    books = read(database, endpoint, interrupted=(unknown, unknown))
    assert books.faults() == []


def test_killed_after_the_claim_and_before_the_request(database: Database, tmp_path: Path):
    with full_listener() as nowhere, working(database, nowhere.url, tmp_path, **SETTINGS) as worker:
        accept(database, 2)
        wait_until(lambda: states(database) == {"sending": 2})
        worker.kill()
    with listening() as (endpoint, url):
        assert_it_goes_on(database, tmp_path, endpoint, url, unknown=2)
        assert endpoint.requests == 1


def test_killed_while_answers_are_due_and_others_wait(database: Database, tmp_path: Path):
    with listening() as (endpoint, url):
        with working(database, url, tmp_path, **SETTINGS) as worker, endpoint.holding():
            accept(database, 5)
            wait_until(lambda: endpoint.requests == 3)  # of four places one is kept back
            worker.kill()
        assert states(database) == {"sending": 3, "accepted": 2}
        assert_it_goes_on(database, tmp_path, endpoint, url, unknown=3)


def test_killed_between_the_answer_and_the_record(database: Database, tmp_path: Path):
    kept = KeptAnswer()
    with HostileServer(kept) as server:
        with working(database, server.url, tmp_path, **SETTINGS) as worker:
            accept(database, 1)
            assert kept.arrived.wait(60)
            with database.locked():
                kept.may_leave.set()
                assert kept.was_read.wait(60)
                if not database.is_sqlite:
                    database.wait_for_a_write()
                worker.kill()
        assert server.requests == 1
    with listening() as (endpoint, url):
        database.age_all_runs()
        with working(database, url, tmp_path, **SETTINGS):
            # PostgreSQL has the statement already, and carries it out when it may.
            expected = "unknown" if database.is_sqlite else "started"
            wait_until(lambda: states(database) == {expected: 1})
        assert endpoint.requests == 0


def test_the_proof_finds_what_must_not_be():
    def session(text: str) -> Session:
        url = f"https://claude.ai/code/session_{text}"
        return Session(f"session_{text}", url, "trig_x", text, "req", at=datetime.now(UTC))

    books = Books(
        requests=["twice", "twice", "unrecorded", "denied"],
        sessions=[session("twice"), session("unrecorded"), session("denied"), session("other")],
        runs=[
            ("twice", "started", "https://claude.ai/code/session_twice"),
            ("doubled", "unknown", ""),
            ("doubled", "unknown", ""),
            ("denied", "not_sent", ""),
            ("claimed", "started", "https://claude.ai/code/session_9"),
            ("other", "started", "https://claude.ai/code/session_9"),
            ("stuck", "sending", ""),
            ("waits", "accepted", ""),
        ],
        accepted=["twice", "lost"],
        interrupted=(0, 1),
        calls=[("k1", "twice"), ("k2", "claimed"), ("k2", "other"), ("k3", "waits")],
        told={"k1": "https://claude.ai/code/session_8", "k4": "started"},
    )
    found = "\n".join(books.faults())
    for sentence in (
        "2 runs were recorded of “doubled”.",
        "“lost” was accepted and is lost.",
        "1 runs say `sending` for ever.",
        "1 runs say `accepted` for ever.",
        "2 runs are unknown; expected were 0 to 1.",
        "“twice” was sent 2 times.",
        "“unrecorded” was sent unrecorded.",
        "“denied” was sent, but is not_sent.",
        "The run of “unrecorded” is missing, but has a session.",
        "The run of “denied” is not_sent, but has a session.",
        "The run of “other” shows another session.",
        "The run of “claimed” is started, but has no session.",
        "2 runs were recorded of the Idempotency-Key “k2”.",
        "The Idempotency-Key “k1” was sent 2 times.",
        "The caller of “k1” was told https://claude.ai/code/session_8, and its run is "
        "https://claude.ai/code/session_twice.",
        "The caller of “k4” was told started, and its run is missing.",
    ):
        assert sentence in found
