"""The trail as a chain of hashes: what is changed, exchanged or taken out of it is found."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
import time_machine
from django.db import connection, transaction

from routines.audit import chain, trace
from routines.models import AuditEvent, AuditHead, Chain, Person, Routine
from tests.factories import create_person, create_routine

Action = AuditEvent.Action
events = AuditEvent._base_manager
pytestmark = pytest.mark.django_db


def five() -> None:
    events.all().delete()
    AuditHead.objects.all().delete()
    for number in range(5):
        trace(Action.GROUP_ADDED, by=None, subject=f"crew {number}", changes={"n": [None, number]})
    chain.seal()


def problem(newest: int | None = None) -> str:
    return chain.walk(Chain.CHANGES, newest=newest).problem


def test_each_entry_holds_a_hash_over_itself_and_the_one_before():
    five()
    assert [one.number for one in events.order_by("pk")] == [1, 2, 3, 4, 5]
    assert len({one.hash for one in events.all()}) == 5
    previous = ""
    for one in events.order_by("number"):
        assert one.hash == chain.hash_of(one, previous)
        previous = one.hash
    found = chain.walk(Chain.CHANGES)
    assert (found.problem, found.entries) == ("", 5)
    assert str(found.head) == f"5:{previous}"


def exchange() -> None:
    first, second = events.get(number=2), events.get(number=3)
    events.filter(pk=second.pk).update(number=None)
    events.filter(pk=first.pk).update(number=3)
    events.filter(pk=second.pk).update(number=2)


def forge() -> None:
    """With a hash that fits, as who knows the rule can make it."""
    entry = events.get(number=3)
    entry.subject = "another"
    previous = events.get(number=2).hash
    events.filter(pk=entry.pk).update(subject="another", hash=chain.hash_of(entry, previous))


TAMPERINGS: dict[str, tuple[Callable[[], object], str]] = {
    "name": (lambda: events.filter(number=3).update(person_name="another"), "Entry 3 (ID"),
    "address": (lambda: events.filter(number=3).update(address="192.0.2.1"), "Entry 3 (ID"),
    "action": (lambda: events.filter(number=3).update(action="exported"), "Entry 3 (ID"),
    "values": (lambda: events.filter(number=3).update(changes={}), "Entry 3 (ID"),
    "moment": (
        lambda: events.filter(number=3).update(at=datetime(2026, 1, 1, tzinfo=UTC)),
        "Entry 3 (ID",
    ),
    "another chain": (lambda: events.filter(number=3).update(chain="sign_ins"), "Entry 3 is miss"),
    "first one gone": (lambda: events.filter(number=1).delete(), "Entry 1 is missing."),
    "one gone": (lambda: events.filter(number=3).delete(), "Entry 3 is missing."),
    "newest gone": (lambda: events.filter(number=5).delete(), "The newest entries are missing"),
    "all gone": (lambda: events.all().delete(), "The newest entries are missing"),
    "exchanged": (exchange, "Entry 2 (ID"),
    "forged with a fitting hash": (forge, "Entry 4 (ID"),
    "said to be deleted by retention": (
        lambda: (
            AuditHead.objects.filter(chain="changes").update(
                deleted_to=2, anchor=events.get(number=2).hash
            ),
            events.filter(number__lte=2).delete(),
        ),
        "Entries up to 2 are gone",
    ),
}


@pytest.mark.parametrize(("tamper", "sentence"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_the_first_entry_that_is_not_as_recorded_is_named(tamper, sentence):
    five()
    assert problem() == ""
    tamper()
    assert problem().startswith(sentence)


def test_a_chain_made_anew_is_found_by_a_hash_kept_elsewhere():
    five()
    kept = {4: events.get(number=4).hash}
    events.filter(number=2).update(subject="another", number=None)
    events.update(number=None, hash="")
    AuditHead.objects.all().delete()
    chain.seal()
    assert problem() == ""
    assert chain.walk(Chain.CHANGES, asked=kept).problem.startswith("Entry 4 is not the one whose")
    assert chain.walk(Chain.CHANGES, asked={9: "x"}).problem.startswith("Entry 9, whose hash")


def test_the_newest_alone_can_be_checked():
    five()
    events.filter(number=2).update(person_name="another")
    assert problem(newest=2) == ""
    assert problem(newest=4).startswith("Entry 2 (ID")


def test_what_a_crash_left_unchained_is_chained_with_the_next():
    five()
    AuditEvent.objects.create(action=Action.EXPORTED, person_name="a", subject="left")
    trace(Action.GROUP_ADDED, by=None, subject="the next")
    chain.seal()
    assert [events.get(subject=name).number for name in ("left", "the next")] == [6, 7]
    assert problem() == ""


@pytest.mark.usefixtures("transactional_db")
def test_an_entry_is_chained_as_soon_as_its_change_is_committed():
    with transaction.atomic():
        trace(Action.GROUP_ADDED, by=None, subject="a crew")
        assert events.get(subject="a crew").number is None
    assert events.get(subject="a crew").number == 1


def test_a_change_that_is_taken_back_leaves_no_gap():
    five()
    with transaction.atomic():
        trace(Action.GROUP_ADDED, by=None, subject="never")
        transaction.set_rollback(True)
    trace(Action.GROUP_ADDED, by=None, subject="the next")
    chain.seal()
    assert events.get(subject="the next").number == 6
    assert problem() == ""


def test_deleting_a_person_or_a_routine_leaves_the_chain_whole():
    routine, person = create_routine(), create_person()
    trace(Action.ROUTINE_EDITED, by=person, routine=routine)
    Person.objects.all().delete()
    Routine.objects.all().delete()
    assert problem() == ""


@pytest.mark.usefixtures("transactional_db")
def test_writers_at_once_make_one_chain():
    five()
    failures: list[Exception] = []

    def write(mine: int) -> None:
        try:
            for number in range(10):
                with transaction.atomic():
                    trace(Action.GROUP_ADDED, by=None, subject=f"{mine} {number}")
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [Thread(target=write, args=[mine]) for mine in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = chain.walk(Chain.CHANGES)
    assert (found.problem, found.entries) == ("", 35)


def test_sign_ins_are_a_chain_of_their_own():
    five()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1)):
        trace(Action.SIGNED_IN, by=None, subject="anna")
    chain.seal()
    assert events.get(subject="anna").number == 1
    assert chain.walk(Chain.SIGN_INS).entries == 1
    assert chain.walk(Chain.CHANGES).entries == 5
