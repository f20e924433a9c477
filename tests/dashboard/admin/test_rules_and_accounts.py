"""Who may run a routine is set on a page; and so is what is known of an account."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from routines.models import Account, AuditEvent, Routine
from routines.people import groups
from tests.dashboard.browsing import Page, save
from tests.factories import create_routine

pytestmark = pytest.mark.django_db


def rules(routine):
    return reverse("rules", args=[routine.slug])


def test_the_rules_are_set_shown_and_traced(admin_client, routine):
    crew = groups.add("Release crew", members=[], by=None)
    typed = {"open_to": [crew.pk], "confirmation": "type_name", "asks_why": "on"}
    response = save(admin_client, rules(routine), open_to_everybody="no", **typed)
    page = Page(admin_client.get(response.headers["Location"]))
    assert page.says("Open to Release crew")
    assert page.says("its name, and why")
    assert AuditEvent.objects.all()[0].changes == {
        "open_to": ["everybody", ["Release crew"]],
        "confirmation": ["off", "type_name"],
        "asks_why": [False, True],
    }
    again = Page(admin_client.get(rules(routine)))
    assert again.chosen("open_to") == [str(crew.pk)]
    (chosen,) = [
        one
        for one in again.find("input", name="confirmation", type="radio")
        if "checked" in one.attributes
    ]
    assert chosen.attributes["value"] == "type_name"


def test_a_routine_whose_groups_are_gone_is_warned_of_in_the_registry(admin_client, routine):
    crew = groups.add("Release crew", members=[], by=None)
    save(admin_client, rules(routine), open_to_everybody="no", open_to=[crew.pk])
    crew.delete()
    for page in (reverse("registry"), reverse("registry_routine", args=[routine.slug])):
        shown = Page(admin_client.get(page))
        assert shown.says("only admins may run it now.")
        assert shown.find("a", href=rules(routine))
    form = Page(admin_client.get(rules(routine)))
    assert form.fields()["open_to_everybody"] == "no"
    refused = Page(save(admin_client, rules(routine), asks_why="on"))
    assert refused.says("Choose at least one group, or everybody above.")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "Choose who may run it."),
        ({"open_to_everybody": "maybe"}, "maybe is not one of the available choices"),
        ({"open_to_everybody": "no"}, "Choose at least one group, or everybody above."),
        ({"open_to_everybody": "yes", "open_to": "1"}, "not both."),
    ],
)
def test_what_does_not_say_who_may_run_it_changes_nothing(admin_client, routine, typed, sentence):
    shown = Page(admin_client.get(rules(routine))).fields()
    del shown["open_to_everybody"]
    response = admin_client.post(rules(routine), shown | typed)
    assert response.status_code == 422
    assert Page(response).says(sentence)
    assert Routine.objects.get().open_to_everybody


def test_rules_that_cannot_be_are_said_at_the_field(admin_client, routine):
    response = admin_client.post(rules(routine), {"open_to": ["999"], "confirmation": "maybe"})
    assert response.status_code == 422
    assert Page(response).says("999 is not one of the available choices")
    assert Page(response).says("maybe is not one of the available choices")
    routine.refresh_from_db()
    assert (routine.confirmation, routine.open_to.count()) == ("off", 0)


@pytest.fixture
def account(routine: Routine) -> Account:
    return routine.account


def test_an_account_gets_another_name_and_a_limit(admin_client, account):
    edit = reverse("edit_account", args=[account.pk])
    save(admin_client, edit, label="Platform team", hourly_limit="50")
    account.refresh_from_db()
    assert (account.label, account.hourly_limit) == ("Platform team", 50)
    event = AuditEvent.objects.all()[0]
    assert (event.action, event.subject) == ("account_edited", "Platform team")
    assert event.changes == {
        "label": ["Platform account", "Platform team"],
        "hourly_limit": [None, 50],
    }
    assert Page(admin_client.get(reverse("accounts"))).says("50 an hour")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"label": "Another"}, "Another account is called so."),
        ({"label": ""}, "This field is required."),
        ({"hourly_limit": "-1"}, "greater than or equal to 0"),
        ({"hourly_limit": "many"}, "Enter a whole number."),
        ({"label": "sk-ant-oat01-" + "x" * 40}, "A token stands here"),
    ],
)
def test_what_an_account_cannot_be_is_said_at_the_field(admin_client, account, typed, sentence):
    create_routine(account="Another")
    edit = reverse("edit_account", args=[account.pk])
    response = save(admin_client, edit, **{"label": "Mine", "hourly_limit": ""} | typed)
    assert response.status_code == 422
    assert Page(response).says(sentence)
    account.refresh_from_db()
    assert account.label == "Platform account"


def test_a_hold_on_an_account_is_shown_and_lifted(admin_client, account):
    Account.objects.update(held_until=timezone.now() + timedelta(hours=1))
    assert Page(admin_client.get(reverse("accounts"))).says("On hold")
    lift = reverse("lift_account_hold", args=[account.pk])
    edit = reverse("edit_account", args=[account.pk])
    shown = Page(admin_client.get(edit)).fields(lift)
    page = Page(admin_client.post(lift, shown, follow=True))
    assert page.says("The hold is lifted")
    assert not page.find("form", action=lift)
    event = AuditEvent.objects.all()[0]
    assert (event.action, event.subject) == ("hold_lifted", "account Platform account")
    before = AuditEvent.objects.count()
    admin_client.post(lift, shown)
    assert AuditEvent.objects.count() == before, "there was nothing to lift"
