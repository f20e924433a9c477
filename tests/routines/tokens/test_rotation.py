"""Replacing and removing tokens: whole or not at all, whoever else does it at the same time."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from cryptography.fernet import Fernet

from routines.models import AuditEvent, Person, Routine
from routines.practice_api import PracticeApi
from routines.tokens import rotation
from routines.values import tokens
from routines.values.reasons import Reason
from tests.factories import create_admin, create_routine, create_teammate
from tests.routines.runs.firing.pressing import at_once, press, press_all_the_same

pytestmark = pytest.mark.django_db

NEW = tokens.parse("sk-ant-oat01-the-new-one")


def token_of(routine: Routine) -> tokens.Token | None:
    stored = Routine.objects.get(pk=routine.pk)
    return stored.reveal_token() if stored.has_token else None


def events(routine: Routine) -> list[tuple[str, object]]:
    ordered = routine.audit_events.order_by("pk")
    return [(event.action, event.changes) for event in ordered if "token" in event.action]


def test_each_change_counts_and_is_traced_by_the_last_four_characters():
    routine, admin = create_routine(token="sk-ant-oat01-the-old-one"), create_admin()
    rotation.replace_token(routine, NEW, by=admin)
    rotation.remove_token(routine, by=admin)
    stored = Routine.objects.get()
    assert (stored.token_version, stored.token_removed_at is not None) == (3, True)
    assert events(routine) == [
        ("token_set", {"token": [None, "…-one"]}),
        ("token_set", {"token": ["…-one", "…-one"]}),
        ("token_removed", {"token": ["…-one", None]}),
    ]
    assert "the-new" not in str(list(AuditEvent.objects.values()))


def test_a_new_token_ends_a_removal():
    routine, admin = create_routine(), create_admin()
    rotation.remove_token(routine, by=admin)
    rotation.replace_token(routine, NEW, by=admin)
    assert Routine.objects.get().token_removed_at is None


def test_a_replacement_whose_trace_fails_is_not_saved(monkeypatch: pytest.MonkeyPatch):
    routine, admin = create_routine(), create_admin()
    before = token_of(routine)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no trace")

    monkeypatch.setattr(rotation, "trace", fail)
    with pytest.raises(RuntimeError):
        rotation.replace_token(routine, NEW, by=admin)
    with pytest.raises(RuntimeError):
        rotation.remove_token(routine, by=admin)
    assert token_of(routine) == before


@pytest.mark.parametrize(
    "act",
    [
        partial(rotation.replace_token, token=tokens.parse("sk-ant-oat01-other")),
        rotation.remove_token,
    ],
    ids=["replace", "remove"],
)
def test_who_acts_on_an_older_token_is_told_who_changed_it_and_nothing_is_saved(
    act: Callable[..., None],
):
    routine, first, second = create_routine(), create_admin(), create_admin(username="the second")
    seen = routine.token_version
    rotation.replace_token(routine, NEW, by=second, seen_version=seen)
    with pytest.raises(rotation.TokenChanged) as changed:
        act(routine, by=first, seen_version=seen)
    event = changed.value.event
    assert event is not None
    assert (event.person_name, event.action) == ("the second", "token_set")
    assert token_of(routine) == NEW


def test_removing_nothing_changes_nothing():
    routine = create_routine(token=None)
    rotation.remove_token(routine, by=create_admin())
    assert Routine.objects.get().token_removed_at is None
    assert events(routine) == []


@pytest.mark.usefixtures("transactional_db")
class TestAtOnce:
    def test_of_many_admins_with_one_page_one_replaces_the_token(self):
        routine, admins = create_routine(), [create_admin() for _ in range(8)]
        seen = routine.token_version

        def replace(number: int) -> None:
            token = tokens.parse(f"sk-ant-oat01-of-admin-{number}")
            rotation.replace_token(routine, token, by=admins[number], seen_version=seen)

        results = at_once(8, replace)
        assert results.count(None) == 1
        assert [type(one) for one in results].count(rotation.TokenChanged) == 7
        winner = results.index(None)
        assert token_of(routine) == tokens.parse(f"sk-ant-oat01-of-admin-{winner}")
        assert Routine.objects.get().token_version == seen + 1

    def test_rotating_while_others_fire_ends_every_run_in_an_honest_state(
        self, practice: PracticeApi, settings
    ):
        settings.RECENT_RUN_WARNING = 0
        routine, admin = create_routine(), create_admin()
        people = [create_teammate() for _ in range(3)]
        rotated = threading.Event()

        def fire(person: Person) -> list[str]:
            reasons: list[str] = []
            while not rotated.is_set() or len(reasons) < 3:
                reasons.append(press_all_the_same(routine, person).run.reason)
            return reasons

        def rotate() -> list[str]:
            try:
                for _ in range(10):
                    new = tokens.parse(practice.regenerate(routine.routine_id))
                    rotation.replace_token(routine, new, by=admin)
            finally:
                rotated.set()
            return []

        *fired, rotations = at_once(4, lambda n: fire(people[n]) if n < 3 else rotate())
        assert rotations == []
        reasons = {reason for reasons in fired for reason in reasons}
        assert reasons <= {Reason.SESSION_CREATED, Reason.TOKEN_REJECTED}
        assert len(practice.sessions) == routine.runs.filter(reason=Reason.SESSION_CREATED).count()
        assert not routine.runs.filter(state="sending").exists()
        assert press(routine, people[0]).run.reason == Reason.SESSION_CREATED
        assert Routine.objects.get().token_failures == 0


# --- The same token twice ---


def test_other_routines_with_this_very_token_are_found():
    routine = create_routine(token=NEW.reveal())
    other = create_routine(token=NEW.reveal())
    create_routine(token="sk-ant-oat01-the-old-one")  # the same last four characters
    create_routine(token=None)
    assert rotation.routines_with(NEW) == [routine, other]
    assert rotation.routines_with(NEW, besides=routine) == [other]


def test_tokens_that_no_key_opens_are_no_hindrance(settings):
    create_routine(token=NEW.reveal())
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert rotation.routines_with(NEW) == []
