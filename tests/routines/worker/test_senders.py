import threading
from typing import Any

import pytest

from routines.models import Run
from routines.runs import sending
from routines.runs.queue import Claimed
from routines.values import tokens
from routines.worker.places import Taken
from routines.worker.senders import Senders
from tests.server.product import wait_until

CLAIMED = Claimed(Run(pk=1, routine_id=2, account_id=3), tokens.Token("sk-ant-oat01-none"), at=1.0)


def test_a_place_is_taken_until_the_run_was_sent_and_then_says_that_it_is_free(
    monkeypatch: pytest.MonkeyPatch,
):
    may_end, is_free = threading.Event(), threading.Event()
    sent: list[Any] = []

    def send(*arguments: Any, claimed: float) -> bool:
        may_end.wait(60)
        sent.append((*arguments, claimed))
        return True

    monkeypatch.setattr(sending, "send", send)
    senders = Senders(2, when_free=is_free.set)
    senders.start()
    assert senders.send(CLAIMED) == Taken(routine=2, account=3)
    assert senders.taken() == [Taken(routine=2, account=3)]
    assert not is_free.is_set()
    may_end.set()
    assert is_free.wait(60)
    assert senders.taken() == []
    assert sent == [(CLAIMED.run, CLAIMED.token, CLAIMED.at)]


def test_there_is_a_thread_for_each_place_before_anything_is_claimed():
    before = threading.active_count()
    Senders(7, when_free=lambda: None).start()
    wait_until(lambda: threading.active_count() == before + 7)


def test_a_run_that_is_claimed_anew_before_its_place_is_free_takes_another_one(
    monkeypatch: pytest.MonkeyPatch,
):
    """It was put back, or waits for its next attempt, from the moment that this was recorded."""
    may_end = [threading.Event(), threading.Event()]
    ends = iter(may_end)
    monkeypatch.setattr(sending, "send", lambda *_, claimed: next(ends).wait(60))
    senders = Senders(2, when_free=lambda: None)
    senders.start()
    senders.send(CLAIMED)
    senders.send(Claimed(CLAIMED.run, CLAIMED.token, at=1.0))
    assert len(senders.taken()) == 2
    for number, end in enumerate(may_end):
        end.set()
        wait_until(lambda left=1 - number: len(senders.taken()) == left)
    # Both threads are still there.
    monkeypatch.setattr(sending, "send", lambda *_, claimed: True)
    for _ in range(4):
        senders.send(Claimed(CLAIMED.run, CLAIMED.token, at=1.0))
    wait_until(lambda: not senders.taken())
