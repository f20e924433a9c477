"""The same proof as `make crash-proof`, with fewer kills: at each point of a press once."""

from pathlib import Path

from routines.practice_api import Session
from tests.server.crash_proof import KINDS, Books, prove
from tests.server.product import Database


def test_kills_at_every_point_of_a_press_lose_and_double_nothing(
    database: Database, tmp_path: Path
):
    books = prove(database, tmp_path, kills=len(KINDS) + 1)
    assert books.faults == []
    assert len(books.sessions) >= books.interrupting > 1


def test_the_proof_finds_what_must_not_be():
    def session(text: str, number: int) -> Session:
        url = f"https://claude.ai/code/session_{number}"
        return Session(f"session_{number}", url, "trig_x", text, "req", at=None)  # type: ignore[arg-type]

    sessions = [session("twice", 1), session("twice", 2), session("lost", 3), session("denied", 4)]
    runs = [
        ("twice", "started", "https://claude.ai/code/session_1"),
        ("denied", "not_sent", ""),
        ("claimed", "started", "https://claude.ai/code/session_9"),
        ("stuck", "sending", ""),
    ]
    books = Books(kills=1, requests=5, sessions=sessions, runs=runs, interrupting=1)
    books.compare()
    found = " ".join(books.faults)
    for part in (
        *("for ever", "More requests", "made 2", "no run", "another", "not_sent", "no sess"),
        "outcome is unknown",
    ):
        assert part in found
