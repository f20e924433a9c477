"""The database itself refuses to change or delete an entry of the audit trail."""

from datetime import timedelta

import pytest
import time_machine
from django.db import Error as DatabaseFailure
from django.db import connection, transaction
from django.utils import timezone

from routines.audit import chain, expiry, guards, trace
from routines.models import AuditEvent, AuditHead, Chain, Person, Routine
from tests.factories import create_person, create_routine

Action = AuditEvent.Action


@pytest.fixture(autouse=True)
def guarded(db: None) -> None:
    guards.ensure()
    guards.ensure()  # they may be there


ATTEMPTS = [
    "UPDATE routines_auditevent SET person_name = 'another'",
    "UPDATE routines_auditevent SET changes = '{}'",
    "UPDATE routines_auditevent SET at = '2026-01-01 00:00:00+00'",
    "UPDATE routines_auditevent SET address = '192.0.2.1'",
    "UPDATE routines_auditevent SET chain = 'sign_ins'",
    "UPDATE routines_auditevent SET hash = ''",
    "UPDATE routines_auditevent SET number = NULL",
    "UPDATE routines_auditevent SET person_id = (SELECT min(id) FROM routines_person)",
    "DELETE FROM routines_auditevent",
]


@pytest.mark.parametrize("statement", ATTEMPTS)
def test_no_statement_changes_or_deletes_an_entry(statement):
    create_person(username="another")
    trace(Action.EXPORTED, by=create_person(), subject="x", changes={"n": [None, 1]})
    chain.seal()
    before = list(AuditEvent.objects.values())
    with (
        pytest.raises(DatabaseFailure, match="only ever added to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert list(AuditEvent.objects.values()) == before
    assert before


def test_on_postgresql_the_table_cannot_be_emptied_either():
    if connection.vendor != "postgresql":
        return  # SQLite has no TRUNCATE
    with (
        pytest.raises(DatabaseFailure, match="only ever added to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("TRUNCATE routines_auditevent")


def test_people_and_routines_can_be_deleted_all_the_same():
    trace(Action.ROUTINE_EDITED, by=create_person(), routine=create_routine())
    Person.objects.all().delete()
    Routine.objects.all().delete()
    event = AuditEvent.objects.all()[0]
    assert (event.person, event.routine) == (None, None)


def sign_in(days_ago: int) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=days_ago)):
        trace(Action.SIGNED_IN, by=None, subject=f"{days_ago}")
    chain.seal()


def test_retention_deletes_old_sign_ins_and_leaves_an_anchor_that_can_be_checked():
    for days_ago in (90, 60, 30, 0):
        sign_in(days_ago)
    trace(Action.EXPORTED, by=None, subject="kept for ever")
    assert expiry.delete_sign_ins(before=timezone.now() - timedelta(days=45)) == 2
    left = AuditEvent.objects.filter(chain=Chain.SIGN_INS)
    assert [one.number for one in left.order_by("number")] == [3, 4]
    assert chain.walk(Chain.SIGN_INS).problem == ""
    assert chain.walk(Chain.CHANGES).problem == ""
    told = AuditEvent.objects.filter(action=Action.RETENTION_APPLIED).get()
    assert told.changes["sign-ins deleted"] == [None, 2]
    assert expiry.delete_sign_ins(before=timezone.now() - timedelta(days=45)) == 0
    assert expiry.delete_sign_ins(before=timezone.now() - timedelta(days=15)) == 1
    assert chain.walk(Chain.SIGN_INS).problem == ""


def test_sign_ins_that_vanish_without_a_trace_are_found():
    for days_ago in (90, 60, 30):
        sign_in(days_ago)
    connection.check_constraints()  # PostgreSQL: nothing is pending at the table
    guards.remove()
    second = AuditEvent.objects.get(chain=Chain.SIGN_INS, number=2)
    AuditHead.objects.filter(chain=Chain.SIGN_INS).update(deleted_to=2, anchor=second.hash)
    AuditEvent._base_manager.filter(chain=Chain.SIGN_INS, number__lte=2).delete()
    assert chain.walk(Chain.SIGN_INS).problem.startswith("Entries up to 2 are gone")
