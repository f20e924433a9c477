import threading

import pytest

from routines.runs import firing


@pytest.fixture
def one_slot(monkeypatch: pytest.MonkeyPatch) -> threading.BoundedSemaphore:
    slots = threading.BoundedSemaphore(1)
    monkeypatch.setattr(firing, "_in_flight", slots)
    return slots
