"""rotate_token_keys: every token under the newest key, with the service running, any number of
times."""

from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import OperationalError

from routines.audit import trace
from routines.models import AuditEvent, Routine
from routines.practice_api import PracticeApi
from routines.tokens import rotation
from routines.upkeep import reencrypting
from routines.values import tokens
from routines.values.reasons import State
from tests.factories import create_admin, create_routine, create_teammate
from tests.routines.runs.firing.pressing import at_once, press, press_all_the_same

pytestmark = pytest.mark.django_db


@dataclass
class Keyring:
    """TOKEN_ENCRYPTION_KEYS, as different processes have them while the keys rotate."""

    settings: Any
    old: str
    new: str

    def both(self) -> None:
        self.settings.TOKEN_ENCRYPTION_KEYS = [self.new, self.old]

    def both_but_the_old_one_first(self) -> None:
        self.settings.TOKEN_ENCRYPTION_KEYS = [self.old, self.new]

    def only_the_new_one(self) -> None:
        self.settings.TOKEN_ENCRYPTION_KEYS = [self.new]


@pytest.fixture
def keys(settings) -> Keyring:
    """With the old key alone; what is made now is encrypted under it."""
    return Keyring(settings, settings.TOKEN_ENCRYPTION_KEYS[0], Fernet.generate_key().decode())


def rotate() -> str:
    out = StringIO()
    call_command("rotate_token_keys", stdout=out)
    return out.getvalue()


def events() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="tokens_reencrypted").order_by("pk"))


def test_afterwards_the_newest_key_alone_opens_every_token(keys: Keyring):
    plain = {
        routine.pk: routine.reveal_token()
        for routine in (create_routine(), create_routine(archived_at="2026-01-01T00:00Z"))
    }
    create_routine(token=None)
    keys.both()
    said = rotate()
    assert "2 re-encrypted" in said
    assert "0 that no key at hand opens" in said
    keys.only_the_new_one()
    stored = Routine.objects.exclude(token_encrypted="")
    assert {routine.pk: routine.reveal_token() for routine in stored} == plain


def test_it_changes_nothing_but_the_ciphertext(keys: Keyring):
    create_routine()
    before = Routine.objects.values().get()
    keys.both()
    rotate()
    after = Routine.objects.values().get()
    assert after["token_encrypted"] != before["token_encrypted"]
    assert after | {"token_encrypted": ""} == before | {"token_encrypted": ""}


def test_repeating_it_changes_nothing_and_leaves_no_trace(keys: Keyring):
    create_routine()
    keys.both()
    rotate()
    before, traced = Routine.objects.values().get(), len(events())
    said = rotate()
    assert "0 re-encrypted" in said
    assert "1 under it already" in said
    assert (Routine.objects.values().get(), len(events())) == (before, traced)


def test_it_is_traced_without_naming_a_token(keys: Keyring):
    routine = create_routine()
    keys.both()
    rotate()
    begun, done = events()
    assert {event.person_name for event in (begun, done)} == {"command line"}
    assert begun.changes == {"state": [None, "begun"]}
    assert done.changes == {"reencrypted": [None, 1], "unreadable": [None, "none"]}
    assert routine.token_last_four not in str([event.changes for event in (begun, done)])


def test_tokens_that_no_key_opens_are_named_and_the_others_are_encrypted_anew(keys: Keyring):
    lost = create_routine(name="The lost one")
    Routine.objects.filter(pk=lost.pk).update(token_encrypted="gAAAAA")
    create_routine()
    keys.both()
    out = StringIO()
    with pytest.raises(CommandError, match="restore the missing one"):
        call_command("rotate_token_keys", stdout=out)
    assert "1 re-encrypted" in out.getvalue()
    assert f"The lost one ({lost.routine_id})" in out.getvalue()
    assert Routine.objects.get(pk=lost.pk).token_encrypted == "gAAAAA"
    assert events()[-1].changes["unreadable"] == [None, "The lost one"]


def test_interrupted_it_says_so_and_goes_on_where_it_stopped(
    keys: Keyring, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(3):
        create_routine()
    keys.both()
    reencrypt, left = tokens.reencrypt, [2]

    def interrupted(encrypted: str, *, routine_id: str) -> str | None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return reencrypt(encrypted, routine_id=routine_id)

    monkeypatch.setattr(tokens, "reencrypt", interrupted)
    out = StringIO()
    with pytest.raises(CommandError, match="Stopped before the end"):
        call_command("rotate_token_keys", stdout=out)
    assert "2 re-encrypted" in out.getvalue()
    assert events()[-1].changes["reencrypted"] == [None, 2]
    monkeypatch.undo()
    keys.both()
    said = rotate()
    assert "1 re-encrypted" in said
    assert "2 under it already" in said


def test_killed_after_the_first_change_it_has_left_a_trace(
    keys: Keyring, monkeypatch: pytest.MonkeyPatch
):
    """Killed: not even what stands in a `finally` runs."""
    create_routine()
    keys.both()
    first_alone = iter([trace])

    def until_killed(*arguments: Any, **more: Any) -> None:
        next(first_alone, lambda *_, **__: None)(*arguments, **more)

    monkeypatch.setattr(reencrypting, "trace", until_killed)
    rotate()
    assert [event.changes for event in events()] == [{"state": [None, "begun"]}]


def test_a_first_change_that_cannot_be_traced_is_not_made(
    keys: Keyring, monkeypatch: pytest.MonkeyPatch
):
    routine = create_routine()
    keys.both()

    def fail(*_: object, **__: object) -> None:
        raise OperationalError("disk is full")

    monkeypatch.setattr(reencrypting, "trace", fail)
    with pytest.raises(CommandError, match=r"The database failed \(disk is full\)\. Run it"):
        rotate()
    assert Routine.objects.get().token_encrypted == routine.token_encrypted


def test_a_token_replaced_at_this_very_moment_is_not_lost(
    keys: Keyring, monkeypatch: pytest.MonkeyPatch
):
    routine, admin = create_routine(), create_admin()
    new = tokens.parse("sk-ant-oat01-the-new-one")
    keys.both()
    reencrypt, first = tokens.reencrypt, [True]

    def overtaken(encrypted: str, *, routine_id: str) -> str | None:
        if first:
            first.clear()
            keys.both_but_the_old_one_first()  # a host that was not restarted yet
            rotation.replace_token(routine, new, by=admin)
            keys.both()
        return reencrypt(encrypted, routine_id=routine_id)

    monkeypatch.setattr(tokens, "reencrypt", overtaken)
    assert "1 re-encrypted" in rotate()
    keys.only_the_new_one()
    assert Routine.objects.get().reveal_token() == new


def test_a_token_removed_at_this_very_moment_stays_removed(
    keys: Keyring, monkeypatch: pytest.MonkeyPatch
):
    routine, admin = create_routine(), create_admin()
    keys.both()
    reencrypt = tokens.reencrypt

    def overtaken(encrypted: str, *, routine_id: str) -> str | None:
        rotation.remove_token(routine, by=admin)
        return reencrypt(encrypted, routine_id=routine_id)

    monkeypatch.setattr(tokens, "reencrypt", overtaken)
    assert "0 re-encrypted" in rotate()
    assert not Routine.objects.get().has_token
    assert events() == []


@pytest.mark.usefixtures("transactional_db")
def test_under_load_no_fire_and_no_rotation_is_lost(settings, keys: Keyring, practice: PracticeApi):
    settings.RECENT_RUN_WARNING = 0
    routines, admin = [create_routine() for _ in range(5)], create_admin()
    person = create_teammate()
    keys.both()

    def act(number: int) -> Any:
        if number == 0:
            return [rotate() for _ in range(5)]
        if number == 1:
            for routine in routines:
                new = tokens.parse(practice.regenerate(routine.routine_id))
                rotation.replace_token(routine, new, by=admin)
            return "rotated"
        return [
            press_all_the_same(routine, person).run.reason for routine in routines for _ in range(3)
        ]

    reencrypted, rotated, *fired = at_once(4, act)
    assert rotated == "rotated"
    assert "0 that no key" in reencrypted[-1]
    reasons = {reason for reasons in fired for reason in reasons}
    assert reasons <= {"session_created", "token_rejected"}
    keys.only_the_new_one()
    for routine in routines:
        assert press(routine, person).run.state == State.STARTED
