"""Who gets in where: every address, as everybody, looking and pressing."""

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.urls import urlpatterns
from routines.models import Routine, VersionMove
from routines.reasons import Reason
from tests.dashboard.browsing import signed_in
from tests.factories import create_person, create_run, create_version

WHO = ("nobody", "no role", "teammate", "manager", "admin")

# For each address the statuses of looking (GET) and of pressing (POST, with an empty form),
# in the order of WHO. 422: got in, but the form was empty. 302 for looking: elsewhere is better.
TABLE = {
    # The board
    "board": ("302 302 200 302 200", "401 405 405 405 405"),
    "card": ("302 403 302 403 302", "401 405 405 405 405"),
    "run": ("302 403 200 403 200", "401 405 405 405 405"),
    "fire": ("302 403 302 403 302", "401 403 422 403 422"),
    # The history; the run is the teammate's
    "history": ("302 200 200 200 200", "401 405 405 405 405"),
    "history_run": ("302 404 200 200 200", "401 405 405 405 405"),
    "history_result": ("302 404 200 200 200", "401 405 405 405 405"),
    "settle_as_started": ("302 405 405 405 405", "401 404 422 422 422"),
    "settle_as_not_started": ("302 405 405 405 405", "401 404 302 302 302"),
    # The registry
    "registry": ("302 403 403 403 200", "401 405 405 405 405"),
    "register": ("302 403 403 403 200", "401 403 403 403 422"),
    "register_details": ("302 403 403 403 200", "401 403 403 403 422"),
    "registry_routine": ("302 403 403 403 200", "401 405 405 405 405"),
    "edit": ("302 403 403 403 200", "401 403 403 403 422"),
    "registered": ("302 403 403 403 200", "401 405 405 405 405"),
    "token": ("302 403 403 403 200", "401 403 403 403 422"),
    "token_test": ("302 403 403 403 200", "401 403 403 403 422"),
    "token_compromised": ("302 403 403 403 200", "401 403 403 403 422"),
    "enable": ("302 405 405 405 405", "401 403 403 403 302"),
    "disable": ("302 405 405 405 405", "401 403 403 403 302"),
    "archive": ("302 405 405 405 405", "401 403 403 403 302"),
    "restore": ("302 405 405 405 405", "401 403 403 403 302"),
    "lift_hold": ("302 405 405 405 405", "401 403 403 403 302"),
    "add_template": ("302 403 403 403 200", "401 403 403 403 422"),
    "edit_template": ("302 403 403 403 200", "401 403 403 403 422"),
    "delete_template": ("302 405 405 405 405", "401 403 403 403 302"),
    # Header versions; trying with an empty form: which version is not said, so choose one first
    "versions": ("302 403 403 403 200", "401 405 405 405 405"),
    "add_version": ("302 403 403 403 200", "401 403 403 403 422"),
    "remove_version": ("302 405 405 405 405", "401 403 403 403 302"),
    "move_versions": ("302 403 403 403 200", "401 403 403 403 422"),
    "try_version": ("302 403 403 403 302", "401 403 403 403 302"),
    "go_back": ("302 405 405 405 405", "401 403 403 403 302"),
    # Signing in; 302 for looking: signed in already
    "account_login": ("200 302 302 302 302", "200 302 302 302 302"),
    "account_logout": ("302 200 200 200 200", "302 302 302 302 302"),
    "account_signup": ("200 302 302 302 302", "200 302 302 302 302"),
    "account_inactive": ("200 200 200 200 200", "405 405 405 405 405"),
    "account_change_password": ("302 200 200 200 200", "401 200 200 200 200"),
    "account_reauthenticate": ("302 200 200 200 200", "401 200 200 200 200"),
}


def test_the_table_has_every_address():
    assert [pattern.name for pattern in urlpatterns] == list(TABLE)


@pytest.fixture
def clients(teammate, manager, admin) -> dict[str, Client]:
    people = (create_person(), teammate, manager, admin)
    return dict(zip(WHO, [Client(), *map(signed_in, people)], strict=True))


@pytest.fixture
def urls(routine, teammate) -> dict[str, str]:
    run = create_run(routine=routine, person=teammate, reason=Reason.NO_ANSWER)
    template = routine.text_templates.get()
    version = create_version("experimental-cc-routine-2026-10-01")
    move = VersionMove.objects.create(header=version.header, target=version.value)
    values = {"slug": routine.slug, "pk": run.pk, "version": version.pk, "move": move.pk}
    of_template = values | {"pk": template.pk}
    return {
        pattern.name: reverse(
            pattern.name,
            kwargs={
                name: (of_template if "template" in pattern.name else values)[name]
                for name in pattern.pattern.converters
            },
        )
        for pattern in urlpatterns
    }


@pytest.mark.parametrize("name", TABLE)
def test_only_those_who_may_get_in(name, urls, clients):
    looking, pressing = TABLE[name]
    empty_form = {"csrfmiddlewaretoken": "x"}
    assert dict(zip(WHO, looking.split(), strict=True)) == {
        who: str(client.get(urls[name]).status_code) for who, client in clients.items()
    }
    assert dict(zip(WHO, pressing.split(), strict=True)) == {
        who: str(client.post(urls[name], empty_form).status_code) for who, client in clients.items()
    }


@pytest.mark.parametrize("name", TABLE)
def test_looking_changes_nothing(name, urls, clients, routine):
    before = Routine.objects.values().get()
    clients["admin"].get(urls[name])
    assert Routine.objects.values().get() == before
    assert routine.text_templates.exists()
    assert routine.runs.get().is_unknown
