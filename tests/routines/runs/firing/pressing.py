"""How the tests of firing press Run, once and many times at once."""

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection, connections, transaction

from routines.models import Account, Person, Routine
from routines.runs import firing
from routines.runs.firing import Press

SENT = "Look into alert SEN-4521."


def press(
    routine: Routine,
    person: Person,
    *,
    key: UUID | None = None,
    text: str = SENT,
    **values: Any,
) -> Press:
    return firing.fire(key=key or uuid4(), routine=routine, person=person, text=text, **values)


def press_numbered(routine: Routine, person: Person, key: UUID, _number: int) -> Press:
    return press(routine, person, key=key)


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """What `act` returned or raised in each of so many threads that start together."""
    results: list[Any] = [None] * count
    together = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            together.wait(20)
            results[number] = act(number)
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def while_moving(routine: Routine, account: Account, act: Callable[[], Any]) -> Any:
    """What `act` returned, begun when the routine's move to the account was not committed yet."""
    moved = threading.Event()

    def move() -> None:
        with transaction.atomic():
            Routine.objects.filter(pk=routine.pk).update(account=account)
            moved.set()
            time.sleep(0.5)  # until `act` waits for the routine's row

    def act_then() -> Any:
        moved.wait(10)
        return act()

    return at_once(2, lambda number: act_then() if number else move())[1]


def fail_writes_of_runs(monkeypatch: pytest.MonkeyPatch, verb: str, *, times: int = 99) -> None:
    """The next so many INSERTs or UPDATEs of runs find a database that takes nothing."""
    left = [times]

    def fail(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if sql.startswith(f"{verb} ") and '"routines_run"' in sql:
            left[0] -= 1
            if left[0] >= 0:
                raise OperationalError("database is locked")
        return execute(sql, *more)

    monkeypatch.setattr(connections["default"], "execute_wrappers", [fail])


def assert_all_slots_are_free() -> None:
    taken = [
        firing._in_flight.acquire(blocking=False) for _ in range(django_settings.FIRES_IN_FLIGHT)
    ]
    for was_free in taken:
        if was_free:
            firing._in_flight.release()
    assert all(taken)
