"""Random kills: the same proof as `make crash-proof`, with fewer of them."""

from pathlib import Path

from routines.practice_api import Session
from tests.server.crash_proof import Books, prove
from tests.server.product import Database


def test_random_kills_lose_and_double_nothing(database: Database, tmp_path: Path):
    books = prove(database, tmp_path, kills=12)
    assert books.faults == []
    assert len(books.runs) > books.kills  # else nothing went on between the kills
    assert books.sessions


def test_the_proof_finds_what_must_not_be():
    def session(text: str, number: int) -> Session:
        url = f"https://claude.ai/code/session_{number}"
        return Session(f"session_{number}", url, "trig_x", text, "req", at=None)  # type: ignore[arg-type]

    sessions = [session("twice", 1), session("twice", 2), session("lost", 3), session("denied", 4)]
    runs = [
        ("twice", "started", "https://claude.ai/code/session_1"),
        ("denied", "not_sent", ""),
        ("claimed", "started", "https://claude.ai/code/session_9"),
    ]
    books = Books(kills=1, requests=4, sessions=sessions, runs=runs, still_sending=1)
    books.compare()
    found = " ".join(books.faults)
    for part in ("for ever", "More requests", "made 2", "no run", "another", "not_sent", "no sess"):
        assert part in found
