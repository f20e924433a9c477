"""The registry: each change, with its audit event or not at all."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from routines import registry
from routines.models import Account, AuditEvent, Person, Routine, TextTemplate
from routines.registry import header_versions
from routines.text_templates import Field
from routines.tokens import rotation
from routines.values import texts
from routines.values.tokens import Token
from tests.factories import create_admin, create_routine

pytestmark = pytest.mark.django_db

TOKEN = Token("sk-ant-oat01-for-the-registry-only")
VALUES: dict[str, Any] = {
    "name": "Alert triage",
    "purpose": "Looks into an alert.",
    "account": "Platform account",
    "beta_version": header_versions.BETA_VERSION,
    "api_version": header_versions.API_VERSION,
    "cool_down": 60,
    "hourly_limit": 7,
}


@pytest.fixture
def admin() -> Person:
    return create_admin(username="the admin")


def register(**values: Any) -> Routine:
    given = VALUES | {"routine_id": "trig_Registry", "token": TOKEN, "by": None} | values
    return registry.register(**given)


@pytest.fixture
def routine() -> Routine:
    """Registered, and its events forgotten."""
    register()
    AuditEvent._base_manager.all().delete()
    return Routine.objects.select_related("account").get()


def trail() -> list[tuple[str, dict[str, list[Any]]]]:
    return [(event.action, event.changes) for event in AuditEvent.objects.order_by("pk")]


# --- Registering ---


def test_a_routine_is_registered_with_all_its_values(admin):
    stored = Routine.objects.get(pk=register(by=admin).pk)
    assert {name: getattr(stored, name) for name in VALUES if name != "account"} == {
        name: value for name, value in VALUES.items() if name != "account"
    }
    assert (stored.account.label, stored.routine_id) == ("Platform account", "trig_Registry")
    assert (stored.slug, stored.enabled, stored.is_archived) == ("alert-triage", True, False)
    assert (stored.created_by, stored.token_set_by) == (admin, admin)
    assert stored.reveal_token() == TOKEN


def test_registering_is_traced_with_all_values_and_four_characters_of_the_token(admin):
    register(by=admin)
    new = {name: [None, value] for name, value in VALUES.items()}
    assert trail() == [
        ("routine_registered", new | {"routine_id": [None, "trig_Registry"]}),
        ("token_set", {"token": [None, "…only"]}),
    ]
    assert {event.person for event in AuditEvent.objects.all()} == {admin}


def test_the_token_may_come_later():
    assert not register(token=None).has_token
    assert [action for action, _ in trail()] == ["routine_registered"]


def test_an_account_is_made_once_and_found_again_by_its_label():
    first = register()
    second = register(routine_id="trig_Second")
    other = register(routine_id="trig_Third", account="Another")
    assert first.account == second.account != other.account
    assert Account.objects.count() == 2


@pytest.mark.parametrize(
    "bad",
    [
        {"routine_id": "routine_x"},
        {"name": ""},
        {"name": "x" * 81},
        {"purpose": "x" * 301},
        {"cool_down": -1},
        {"account": "New account", "api_version": ""},
    ],
    ids=str,
)
def test_what_is_not_valid_leaves_nothing_behind(bad):
    with pytest.raises(ValidationError):
        register(**bad)
    assert not Routine.objects.exists()
    assert not Account.objects.exists()
    assert trail() == []


def test_a_routine_id_is_registered_once():
    register()
    with pytest.raises(ValidationError):
        register(name="Again")
    assert Routine.objects.count() == 1


@pytest.mark.parametrize(
    ("names", "slugs"),
    [
        (["Alert", "Alert", "alert!"], ["alert", "alert-2", "alert-3"]),
        (["Alert 2", "Alert", "Alert"], ["alert-2", "alert", "alert-3"]),
        (["Register"], ["register-2"]),
        (["日本語", "!!!"], ["routine", "routine-2"]),
        (["n" * 80, "n" * 80], ["n" * 80, "n" * 80 + "-2"]),
    ],
)
def test_names_may_repeat_and_addresses_may_not(names, slugs):
    made = [register(name=name, routine_id=f"trig_{at}") for at, name in enumerate(names)]
    assert [routine.slug for routine in made] == slugs


# --- Editing ---


def edit(routine: Routine, by: Person, **values: Any) -> None:
    registry.edit(routine, **VALUES | values, by=by)


CHANGES: dict[str, tuple[Any, Any]] = {
    "name": ("Alert triage", "Renamed"),
    "purpose": ("Looks into an alert.", ""),
    "account": ("Platform account", "Another"),
    "beta_version": (header_versions.BETA_VERSION, ""),
    "api_version": (header_versions.API_VERSION, "2027-01-01"),
    "cool_down": (60, 0),
    "hourly_limit": (7, None),
}


@pytest.mark.parametrize("field", VALUES)
def test_each_edited_field_is_stored_and_traced_alone(routine, admin, field):
    before, after = CHANGES[field]
    edit(routine, admin, **{field: after})
    stored = Routine.objects.get(pk=routine.pk)
    assert (stored.account.label if field == "account" else getattr(stored, field)) == after
    assert trail() == [("routine_edited", {field: [before, after]})]


def test_an_edit_that_changes_nothing_leaves_no_trace(routine, admin):
    edit(routine, admin)
    assert trail() == []


def test_an_edit_touches_neither_address_nor_id_nor_token(routine, admin):
    fixed = {name: getattr(routine, name) for name in ("slug", "routine_id", "token_encrypted")}
    routine.routine_id, routine.token_encrypted, routine.enabled = "trig_Sly", "sly", False
    edit(routine, admin, name="Renamed")
    stored = Routine.objects.get(pk=routine.pk)
    assert {name: getattr(stored, name) for name in fixed} == fixed
    assert stored.enabled


def test_an_edit_that_is_not_valid_changes_nothing(routine, admin):
    with pytest.raises(ValidationError):
        edit(routine, admin, name="", account="New account")
    assert Routine.objects.get().name == "Alert triage"
    assert Account.objects.count() == 1
    assert trail() == []


# --- Tokens ---


def test_a_replaced_token_is_stored_and_traced_by_its_ends(routine, admin):
    rotation.replace_token(routine, Token("sk-ant-oat01-the-next-one"), by=admin)
    stored = Routine.objects.get(pk=routine.pk)
    assert stored.reveal_token() == Token("sk-ant-oat01-the-next-one")
    assert (stored.token_set_by, stored.token_version) == (admin, 2)
    assert trail() == [("token_set", {"token": ["…only", "…-one"]})]


def test_a_first_token_replaces_nothing(admin):
    routine = register(token=None)
    rotation.replace_token(routine, TOKEN, by=admin)
    assert trail()[-1] == ("token_set", {"token": [None, "…only"]})


def test_a_replaced_token_takes_nothing_else_of_the_routine_along(routine, admin):
    Routine.objects.update(name="Renamed meanwhile", enabled=False)
    rotation.replace_token(routine, Token("sk-ant-oat01-the-next-one"), by=admin)
    stored = Routine.objects.get(pk=routine.pk)
    assert (stored.name, stored.enabled) == ("Renamed meanwhile", False)


# --- Switches and holds ---


@pytest.mark.parametrize(
    ("switch", "actions"),
    [
        (registry.set_enabled, ["routine_disabled", "routine_enabled"]),
        (
            lambda routine, on, by: registry.set_archived(routine, not on, by=by),
            ["routine_archived", "routine_restored"],
        ),
    ],
    ids=["enabled", "archived"],
)
def test_a_switch_is_thrown_and_thrown_back_each_traced_once(routine, admin, switch, actions):
    def is_on() -> bool:
        stored = Routine.objects.get(pk=routine.pk)
        return stored.enabled and not stored.is_archived

    for on, traced in ((True, []), (False, actions[:1]), (True, actions)):
        for _ in range(2):
            switch(routine, on, by=admin)
        assert is_on() is on
        assert trail() == [(action, {}) for action in traced]


def test_lifting_no_hold_leaves_no_trace(routine, admin):
    registry.lift_hold(Routine.objects.get(pk=routine.pk), by=admin)
    assert trail() == []


def test_a_lifted_hold_frees_the_routine_and_its_account_and_no_other(routine, admin):
    until = timezone.now().replace(microsecond=0) + timedelta(minutes=5)
    other = create_routine(account="Another", held_until=until)
    Routine.objects.filter(pk=routine.pk).update(held_until=until)
    Account.objects.update(held_until=until)
    AuditEvent._base_manager.all().delete()
    registry.lift_hold(Routine.objects.get(pk=routine.pk), by=admin)
    stored, other = Routine.objects.get(pk=routine.pk), Routine.objects.get(pk=other.pk)
    assert stored.held_until is stored.account.held_until is None
    assert other.held_until == other.account.held_until == until
    ended = [until.isoformat(), None]
    assert trail() == [("hold_lifted", {"held_until": ended, "account_held_until": ended})]


# --- Text templates ---


@pytest.fixture
def template(routine) -> TextTemplate:
    template = registry.add_template(routine, name="Alert", body="Look.", order=1, by=None)
    AuditEvent._base_manager.all().delete()
    return template


def test_an_added_template_is_stored_and_traced(routine, admin):
    registry.add_template(routine, name="Alert", body="Look.", order=3, by=admin)
    stored = TextTemplate.objects.get()
    assert (stored.routine, stored.name, stored.body, stored.order) == (
        routine,
        "Alert",
        "Look.",
        3,
    )
    assert trail() == [("template_added", {"name": [None, "Alert"], "body": [None, "Look."]})]


def test_an_edited_template_is_traced_by_what_changed(template, admin):
    registry.edit_template(template, name="Alert", body="Look again.", order=1, by=admin)
    registry.edit_template(template, name="Alert", body="Look again.", order=1, by=admin)
    assert TextTemplate.objects.get().body == "Look again."
    changes = {"body": ["Look.", "Look again."], "name": ["Alert", "Alert"]}  # which one it was
    assert trail() == [("template_edited", changes)]


def test_fields_and_json_are_traced_before_and_after(template, admin):
    fields = [Field("ticket", label="Which ticket")]
    after: dict[str, Any] = {
        "name": "Alert",
        "body": "{{ ticket }}",
        "fields": fields,
        "is_json": True,
    }
    registry.edit_template(template, **after, order=1, by=admin)
    [(_, changes)] = trail()
    assert changes["fields"] == [[], [{"name": "ticket", "label": "Which ticket"}]]
    assert changes["is_json"] == [False, True]
    assert changes["body"] == ["Look.", "{{ ticket }}"]


def test_fields_that_do_not_go_with_the_text_are_not_stored(template, admin):
    with pytest.raises(ValidationError, match="stands nowhere in the text"):
        registry.edit_template(
            template, name="Alert", body="x", fields=[Field("ticket")], order=1, by=admin
        )
    assert not AuditEvent.objects.filter(action="template_edited").exists()


def test_what_a_form_has_put_into_the_template_already_is_still_a_change(template, admin):
    template.name = "Renamed"
    registry.edit_template(template, name="Renamed", body="Look.", order=1, by=admin)
    assert trail() == [("template_edited", {"name": ["Alert", "Renamed"]})]


def test_a_deleted_template_is_in_the_trail_whole(template, admin):
    registry.delete_template(template, by=admin)
    assert not TextTemplate.objects.exists()
    assert trail() == [("template_deleted", {"name": ["Alert", None], "body": ["Look.", None]})]


@pytest.mark.parametrize(
    "bad", [{"name": ""}, {"name": "Taken"}, {"body": "x" * (texts.MAX_CHARACTERS + 1)}], ids=str
)
def test_a_template_that_is_not_valid_changes_nothing(routine, template, admin, bad):
    registry.add_template(routine, name="Taken", body="", by=None)
    AuditEvent._base_manager.all().delete()
    values = {"name": "New", "body": "", "order": 0} | bad
    with pytest.raises(ValidationError):
        registry.add_template(routine, **values, by=admin)
    with pytest.raises(ValidationError):
        registry.edit_template(template, **values, by=admin)
    assert sorted(TextTemplate.objects.values_list("name", flat=True)) == ["Alert", "Taken"]
    assert TextTemplate.objects.get(name="Alert").body == "Look."
    assert trail() == []


# --- No change without its trace ---

EVERY_CHANGE: dict[str, Callable[[Routine, TextTemplate, Person], object]] = {
    "register": lambda routine, template, by: register(routine_id="trig_New", account="New", by=by),
    "edit": lambda routine, template, by: edit(routine, by, name="Renamed", account="New"),
    "replace_token": lambda routine, template, by: rotation.replace_token(
        routine, Token("sk-ant-oat01-the-next-one"), by=by
    ),
    "disable": lambda routine, template, by: registry.set_enabled(routine, False, by=by),
    "archive": lambda routine, template, by: registry.set_archived(routine, True, by=by),
    "lift_hold": lambda routine, template, by: registry.lift_hold(routine, by=by),
    "add_template": lambda routine, template, by: registry.add_template(
        routine, name="New", body="", by=by
    ),
    "edit_template": lambda routine, template, by: registry.edit_template(
        template, name="Renamed", body="", order=0, by=by
    ),
    "delete_template": lambda routine, template, by: registry.delete_template(template, by=by),
}


def contents() -> list[Any]:
    tables = (Routine, Account, TextTemplate, AuditEvent)
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


@pytest.mark.parametrize("change", EVERY_CHANGE.values(), ids=EVERY_CHANGE)
def test_a_change_whose_trace_fails_is_no_change(routine, template, admin, monkeypatch, change):
    Routine.objects.update(held_until=timezone.now() + timedelta(hours=1))
    before = contents()

    def fail(*_arguments: object, **_more: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(AuditEvent, "save", fail)
    with pytest.raises(RuntimeError):
        change(routine, template, admin)
    assert contents() == before
    monkeypatch.undo()
    change(Routine.objects.get(), TextTemplate.objects.get(), admin)
    assert contents() != before


@pytest.mark.parametrize("change", EVERY_CHANGE.values(), ids=EVERY_CHANGE)
def test_no_trace_holds_a_token(routine, template, admin, change):
    Routine.objects.update(held_until=timezone.now() + timedelta(hours=1))
    change(routine, template, admin)
    told = str(list(AuditEvent.objects.values()))
    assert "the admin" in told
    for secret in ("for-the-registry", "the-next", routine.token_encrypted):
        assert str(secret) not in told
