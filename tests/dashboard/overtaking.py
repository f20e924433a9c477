"""Every form that changes something, and what somebody else does while it is open."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from routines.callers import keys
from routines.models import (
    Account,
    ApiKey,
    HeaderVersion,
    Person,
    Routine,
    Run,
    SavedView,
    TextTemplate,
)
from routines.people import roles
from routines.people.roles import Role
from tests.factories import create_routine


@dataclass
class Scene:
    """What stands in the addresses."""

    admin: Person
    routine: Routine
    template: TextTemplate
    own: TextTemplate
    person: Person
    group: Group
    version: HeaderVersion
    unknown: Run
    marked: Run
    view: SavedView
    api_key: ApiKey  # with two secrets
    new_key: ApiKey  # with one

    @property
    def account(self) -> Account:
        return self.routine.account


@dataclass(frozen=True)
class Case:
    page: Callable[[Scene], str]  # where the form is
    url: Callable[[Scene], str]
    meanwhile: Callable[[Scene], object]  # what somebody else does
    typed: dict[str, Any]
    says: str


def of_routine(name: str) -> Callable[[Scene], str]:
    return lambda scene: reverse(name, args=[scene.routine.slug])


def of(noun: str, name: str) -> Callable[[Scene], str]:
    return lambda scene: reverse(name, args=[getattr(scene, noun).pk])


def of_template(noun: str, name: str) -> Callable[[Scene], str]:
    return lambda scene: reverse(name, args=[scene.routine.slug, getattr(scene, noun).pk])


def at(name: str) -> Callable[[Scene], str]:
    return lambda scene: reverse(name)


def form(
    url: Callable[[Scene], str],
    meanwhile: Callable[[Scene], object],
    *,
    page: Callable[[Scene], str] | None = None,
    says: str = "",
    **typed: Any,
) -> Case:
    return Case(page or url, url, meanwhile, typed, says)


def updated(noun: str, **values: Any) -> Callable[[Scene], object]:
    def update(scene: Scene) -> int:
        one = getattr(scene, noun)
        rows: int = type(one)._base_manager.filter(pk=one.pk).update(**values)
        return rows

    return update


def limited(scene: Scene) -> None:
    Routine.objects.update(open_to_everybody=False)
    scene.routine.open_to.add(scene.group)


def longer_hold(scene: Scene) -> None:
    later = timezone.now() + timedelta(hours=5)
    Routine.objects.update(held_until=later)
    Account.objects.update(held_until=later)


TOKEN = "sk-ant-oat01-" + "newly-generated" * 3
registry_page = of_routine("registry_routine")
settled = updated("unknown", reason="said_not_started", state="refused")
renamed = updated("routine", name="Renamed")
CHANGING = {
    "edit": form(of_routine("edit"), renamed, purpose="Mine.", says="is now Renamed"),
    "rules": form(of_routine("rules"), limited, asks_why="on", says="is now Crew"),
    "token": form(of_routine("token"), updated("routine", token_version=7), token=TOKEN),
    "token_compromised": form(
        of_routine("token_compromised"),
        updated("routine", token_version=7),
        says="Nothing of yours was saved.",
    ),
    "enable": form(of_routine("enable"), limited, page=registry_page, says="is now Crew"),
    "disable": form(of_routine("disable"), renamed, page=registry_page),
    "archive": form(of_routine("archive"), renamed, page=registry_page),
    "restore": form(of_routine("restore"), limited, page=registry_page),
    "lift_hold": form(of_routine("lift_hold"), longer_hold, page=registry_page),
    "edit_template": form(
        of_template("template", "edit_template"),
        updated("template", body="Theirs."),
        name="Mine",
        says="is now Theirs.",
    ),
    "delete_template": form(
        of_template("template", "delete_template"),
        updated("template", body="Theirs."),
        page=of_template("template", "edit_template"),
    ),
    "own_template": form(
        of_template("own", "own_template"), updated("own", body="Of the other tab."), name="Mine"
    ),
    "delete_own_template": form(
        of_template("own", "delete_own_template"),
        updated("own", body="Of the other tab."),
        page=of_template("own", "own_template"),
    ),
    "edit_account": form(
        of("account", "edit_account"), updated("account", hourly_limit=5), label="Mine"
    ),
    "lift_account_hold": form(
        of("account", "lift_account_hold"), longer_hold, page=of("account", "edit_account")
    ),
    "remove_version": form(
        of("version", "remove_version"),
        updated("version", dated="2026-09-30"),
        page=at("versions"),
    ),
    "edit_person": form(
        of("person", "edit_person"),
        lambda scene: scene.person.groups.clear(),
        first_name="Mine",
        says="Roles: it was Teammate, and is now none",
    ),
    "deactivate_person": form(
        of("person", "deactivate_person"),
        lambda scene: roles.give(scene.person, Role.MANAGER),
        page=of("person", "edit_person"),
    ),
    "reactivate_person": form(
        of("person", "reactivate_person"),
        lambda scene: roles.give(scene.person, Role.ADMIN),
        page=of("person", "edit_person"),
    ),
    "give_password": form(
        of("person", "give_password"),
        updated("person", password="theirs"),
        page=of("person", "edit_person"),
    ),
    "reset_second_factor": form(
        of("person", "reset_second_factor"),
        lambda scene: Authenticator.objects.create(user=scene.person, type="webauthn", data={}),
        page=of("person", "edit_person"),
    ),
    "edit_group": form(
        of("group", "edit_group"),
        lambda scene: scene.group.user_set.add(scene.person),
        name="Mine",
        says="is now somebody",
    ),
    "delete_group": form(
        of("group", "delete_group"),
        lambda scene: scene.group.user_set.add(scene.person),
        page=of("group", "edit_group"),
    ),
    "edit_api_key": form(
        of("api_key", "edit_api_key"),
        lambda scene: scene.api_key.routines.add(create_routine(name="Another")),
        name="Mine",
        says="is now another",
    ),
    "add_secret": form(
        of("new_key", "add_secret"),
        lambda scene: keys.replace_secret(scene.new_key, by=scene.admin),
        page=of("new_key", "api_key"),
        says="Secrets: it was",
    ),
    "end_secret": form(
        lambda scene: reverse(
            "end_secret", args=[scene.api_key.pk, scene.api_key.secrets.earliest("pk").pk]
        ),
        lambda scene: keys.end_secret(
            scene.api_key, scene.api_key.secrets.latest("pk"), by=scene.admin
        ),
        page=of("api_key", "api_key"),
    ),
    "revoke_api_key": form(
        of("api_key", "revoke_api_key"), updated("api_key", name="Renamed"), says="is now Renamed"
    ),
    "save_view": form(
        at("save_view"),
        updated("view", query="state=refused"),
        page=lambda scene: f"{reverse('history')}?state=started",
        name="A view",
    ),
    "delete_view": form(
        of("view", "delete_view"), updated("view", query="state=refused"), page=at("history")
    ),
    "settle_as_started": form(
        of("unknown", "settle_as_started"),
        settled,
        page=of("unknown", "history_run"),
        session_url="https://claude.ai/code/session_01FOUND",
    ),
    "settle_as_not_started": form(
        of("unknown", "settle_as_not_started"),
        updated("unknown", reason="said_started", state="started", session_id="session_01OTHER"),
        page=of("unknown", "history_run"),
    ),
    "mark_outcome": form(
        of("marked", "mark_outcome"),
        updated("marked", outcome="not_useful"),
        page=of("marked", "history_run"),
        outcome="failed",
    ),
    "note_outcome": form(
        of("marked", "note_outcome"),
        updated("marked", outcome_note="Theirs."),
        page=of("marked", "history_run"),
        note="Mine.",
        says="is now Theirs.",
    ),
    "take_back_outcome": form(
        of("marked", "take_back_outcome"),
        updated("marked", outcome_note="Theirs."),
        page=of("marked", "history_run"),
    ),
}
BEFORE: dict[str, Callable[[Scene], object]] = {
    "enable": updated("routine", enabled=False),
    "restore": updated("routine", archived_at=timezone.now()),
    "reactivate_person": updated("person", is_active=False),
}
