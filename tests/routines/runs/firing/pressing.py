"""How the tests of firing press Run, once and many times at once."""

import fcntl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings as django_settings
from django.db import OperationalError, connection, transaction

from routines.models import Account, Person, Routine
from routines.runs import accepting, firing
from routines.runs.firing import Press
from routines.runs.slots import Slot
from tests.server.product import wait_until

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


def press_all_the_same(routine: Routine, person: Person) -> Press:
    """As who goes on when asked about runs that are under way."""
    key, aware_of = uuid4(), set[int]()
    while True:
        try:
            return press(routine, person, key=key, aware_of=aware_of)
        except accepting.UnseenRuns as unseen:
            aware_of |= set(unseen.runs)


def press_numbered(routine: Routine, person: Person, key: UUID, _number: int) -> Press:
    return press(routine, person, key=key)


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """What `act` returned or raised in each of so many threads that start together.

    Of several processes of a test run one at a time: PostgreSQL, as shipped, has 100 connections
    for all of them.
    """
    with Path("var/at_once.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _at_once(count, act)


def _at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
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
    """What `act` returned, begun when the routine's move to the account was not committed yet.

    The move is committed once `act` waits for it.
    """
    moved, begun = threading.Event(), threading.Event()

    def move() -> None:
        with transaction.atomic():
            Routine.objects.filter(pk=routine.pk).update(account=account)
            moved.set()
            is_waiting = _somebody_waits if connection.vendor == "postgresql" else begun.is_set
            wait_until(is_waiting)

    def begin(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if sql.startswith("BEGIN"):
            begun.set()
        return execute(sql, *more)

    def act_then() -> Any:
        assert moved.wait(10)
        with connection.execute_wrapper(begin):
            return act()

    moving, acted = at_once(2, lambda number: act_then() if number else move())
    assert moving is None
    return acted


def _somebody_waits() -> bool:
    """On PostgreSQL: another connection is stopped by a lock of this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
            " AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


@contextmanager
def failing_writes(verb: str, *, table: str = "routines_run", times: int = 99) -> Iterator[None]:
    """The next so many INSERTs or UPDATEs of the table find a database that takes nothing."""
    left = [times]

    def fail(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if sql.startswith(f"{verb} ") and f'"{table}"' in sql:
            left[0] -= 1
            if left[0] >= 0:
                raise OperationalError("database is locked")
        return execute(sql, *more)

    with connection.execute_wrapper(fail):
        yield


@contextmanager
def slots_taken(number: int) -> Iterator[None]:
    """So many requests of this process are under way."""
    with ExitStack() as stack:
        for _ in range(number):
            assert stack.enter_context(Slot()).claim()
        yield


def assert_all_slots_are_free() -> None:
    with slots_taken(django_settings.PRESSES_IN_FLIGHT):
        pass
