"""Text templates that people keep for themselves."""

import pytest
from django.urls import reverse

from routines.models import AuditEvent, TextTemplate
from tests.dashboard.browsing import (
    HTMX,
    Page,
    fire_url,
    page_and_fragment,
    press_button,
    run_form,
    run_url,
    signed_in,
)
from tests.factories import create_routine, create_teammate


def save(client, routine, *, htmx=False, **typed):
    fields = run_form(client, routine) | typed
    url = reverse("save_as_own", args=[routine.slug])
    return client.post(url, fields, headers=HTMX if htmx else {})


@pytest.fixture
def own(routine, teammate) -> TextTemplate:
    return TextTemplate.objects.create(
        routine=routine, owner=teammate, name="Mine", body="My text."
    )


@page_and_fragment
def test_the_text_of_a_form_is_saved_and_the_form_stays(client, routine, teammate, practice, htmx):
    response = save(client, routine, htmx=htmx, own_name="Weekly", text="For {{ week }}.\r\n")
    page = Page(response)
    assert page.says("Saved as your template “Weekly”")
    assert page.fields(fire_url(routine))["text"] == "For {{ week }}.\r\n"
    template = TextTemplate.objects.get(owner=teammate)
    assert (template.name, template.body) == ("Weekly", "For {{ week }}.\n")
    choice = [option.text for option in page.find("option")]
    assert choice == ["The template", "Weekly", "No template"]
    assert Page(client.get(run_url(routine), {"template": "Weekly"})).find(
        "input", name="field-week"
    )
    assert practice.requests == 0
    assert not AuditEvent.objects.filter(action__startswith="template").exclude(
        person_name="command line"
    )


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"own_name": ""}, "Give your template a name."),
        ({"own_name": "Mine"}, "You have a template of that name."),
        ({"own_name": "x" * 81}, "at most 80 characters"),
        ({"text": "sk-ant-oat01-abcdefgh1234567890"}, "A token stands here"),
        ({"text": "x" * 65_537}, "1 character too long"),
    ],
    ids=["no name", "taken", "long name", "token", "long text"],
)
def test_what_cannot_be_saved_is_said_and_kept(client, routine, own, typed, sentence):
    response = save(client, routine, **{"own_name": "New", "text": "Typed."} | typed)
    assert response.status_code == 422
    assert Page(response).says(sentence)
    assert TextTemplate.objects.filter(owner__isnull=False).count() == 1


def test_nobody_else_sees_it(client, routine, own, admin_client):
    assert Page(client.get(run_url(routine))).says("Mine")
    for other in (signed_in(create_teammate()), admin_client):
        page = Page(other.get(run_url(routine), {"template": own.pk}))
        assert not page.says("My text.")
        assert page.says("which is not here")
    registry = Page(admin_client.get(reverse("registry_routine", args=[routine.slug])))
    assert not registry.says("My text.")


def test_it_is_renamed_and_edited_and_deleted_by_its_owner(client, routine, own):
    url = reverse("own_template", args=[routine.slug, own.pk])
    typed = Page(client.get(url)).fields(url) | {"name": "Better", "body": "New."}
    assert Page(client.post(url, typed, follow=True)).says("Better")
    own.refresh_from_db()
    assert (own.name, own.body) == ("Better", "New.")
    press_button(client, url, reverse("delete_own_template", args=[routine.slug, own.pk]))
    assert not TextTemplate.objects.filter(pk=own.pk).exists()


def test_a_text_saved_as_ones_own_keeps_its_literal_braces(client, teammate):
    routine = create_routine(template='For {{ ticket }}: Hello {{ "{{ user }}" }}!')
    save(client, routine, own_name="Mine", text="For SEN-1: Hello {{ user }}!")
    own = TextTemplate.objects.get(owner=teammate)
    assert own.body == 'For SEN-1: Hello {{ "{{ user }}" }}!'
    page = Page(client.get(run_url(routine), {"template": "Mine"}))
    assert page.fields(fire_url(routine))["text"] == "For SEN-1: Hello {{ user }}!"
    assert not page.find("input", name="field-user")
