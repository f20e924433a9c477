"""The text templates of a routine."""

import pytest
from django.urls import reverse

from routines.models import AuditEvent, TextTemplate
from routines.values import texts
from tests.dashboard.browsing import HTMX, Page, press, press_button, save
from tests.dashboard.registry.registering import actions
from tests.factories import create_routine


@pytest.fixture
def template(routine) -> TextTemplate:
    template: TextTemplate = routine.text_templates.get()
    return template


def test_a_template_is_added_with_lf_line_breaks(admin_client, routine):
    response = admin_client.post(
        reverse("add_template", args=[routine.slug]),
        {"name": "Another", "body": " one\r\ntwo\r\n", "order": "1"},
        follow=True,
    )
    assert Page(response).says("The text template is added.")
    assert routine.text_templates.get(name="Another").body == " one\ntwo\n"
    assert actions()[-1] == "template_added"


def test_a_template_is_edited(admin_client, routine, template):
    url = reverse("edit_template", args=[routine.slug, template.pk])
    save(admin_client, url, name="Renamed", body="New body.", order="3")
    template.refresh_from_db()
    assert (template.name, template.body, template.order) == ("Renamed", "New body.", 3)
    event = AuditEvent.objects.get(action="template_edited")
    assert event.changes["body"] == ["Notes for version 1.", "New body."]


def test_a_template_is_deleted(admin_client, routine, template):
    at = [routine.slug, template.pk]
    edit, delete = reverse("edit_template", args=at), reverse("delete_template", args=at)
    response = press_button(admin_client, edit, delete, follow=True)
    assert Page(response).says("The text template “The template” is deleted.")
    assert not routine.text_templates.exists()
    event = AuditEvent.objects.get(action="template_deleted")
    assert event.changes["body"] == ["Notes for version 1.", None]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "The template"}, "This routine has a template of that name."),
        ({"body": "x" * (texts.MAX_CHARACTERS + 1)}, "The text is 1 character too long"),
        ({"body": "x\x00"}, "Null characters are not allowed."),
        ({"order": "-1"}, "greater than or equal to 0"),
        ({"order": "9" * 30}, "less than or equal to"),
    ],
    ids=["no name", "taken name", "too long", "NUL", "negative order", "huge order"],
)
def test_a_template_that_cannot_be_saved_comes_back_as_typed(
    admin_client, routine, values, sentence
):
    typed = {"name": "Another", "body": "Typed for long.", "order": "1"} | values
    response = admin_client.post(reverse("add_template", args=[routine.slug]), typed)
    page = Page(response)
    assert response.status_code == 422
    assert page.says(sentence)
    assert page.find("textarea")[0].text.removeprefix("\n") == typed["body"]
    assert routine.text_templates.count() == 1


ROW = {"name": "ticket", "kind": "line", "required": "on"}


def row(number: int = 0, **typed: str) -> dict[str, str]:
    return {f"fields-{number}-{name}": value for name, value in (ROW | typed).items()}


def test_fields_are_stored_as_typed_and_empty_rows_are_none(admin_client, routine):
    typed = {"name": "Alert", "body": "{{ ticket }} {{ where }}", "order": "1", "is_json": "on"}
    typed |= row(0, label="Which ticket", pattern="SEN-[0-9]+", default="SEN-1")
    typed |= row(1, name="where", kind="choice", choices="here\r\n there \r\n", required="")
    typed |= row(2, name="", required="on")
    response = admin_client.post(reverse("add_template", args=[routine.slug]), typed)
    assert response.status_code == 302
    template = routine.text_templates.get(name="Alert")
    assert template.is_json
    assert template.fields == [
        {"name": "ticket", "label": "Which ticket", "default": "SEN-1", "pattern": "SEN-[0-9]+"},
        {"name": "where", "required": False, "kind": "choice", "choices": ["here", "there"]},
    ]
    again = admin_client.get(reverse("edit_template", args=[routine.slug, template.pk]))
    fields = Page(again).fields(reverse("edit_template", args=[routine.slug, template.pk]))
    assert admin_client.post(again.request["PATH_INFO"], fields).status_code == 302
    before = template.fields
    template.refresh_from_db()
    assert template.fields == before


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (row(name="missing"), "“missing” stands nowhere in the text."),
        (row() | row(1), "“ticket” is defined 2 times."),
        (row(name="", label="What"), "A name has letters"),
        (row(pattern="("), "This pattern cannot be used"),
        (row(kind="choice"), "Write the choices, one a line."),
        (row(default="sk-ant-oat01-abcdefgh1234567890"), "A token stands here"),
    ],
    ids=["nowhere", "twice", "no name", "pattern", "no choices", "token"],
)
def test_fields_that_cannot_be_come_back_with_a_sentence(admin_client, routine, rows, sentence):
    typed = {"name": "Alert", "body": "{{ ticket }}", "order": "1"} | rows
    response = admin_client.post(reverse("add_template", args=[routine.slug]), typed)
    assert response.status_code == 422
    assert Page(response).says(sentence)
    assert not routine.text_templates.filter(name="Alert").exists()


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_preview_stores_nothing_and_shows_what_people_will_see(admin_client, routine, headers):
    typed = {"name": "x", "body": '{"a": "{{ ticket }}", b: "{{ a-b }}"}', "is_json": "on"}
    url = reverse("preview_template", args=[routine.slug])
    page = Page(admin_client.post(url, typed | row(default='"1"'), headers=headers))
    assert page.says('"a": "\\"1\\""')
    assert page.says("No valid JSON: Expecting property name enclosed in double quotes in line 1")
    assert page.says("{{ a-b }} is no field and is sent as it stands.")
    assert routine.text_templates.count() == 1


def test_a_template_is_saved_after_a_preview_without_scripts(admin_client, routine, template):
    edit = reverse("edit_template", args=[routine.slug, template.pk])
    preview = reverse("preview_template", args=[routine.slug])
    typed = Page(admin_client.get(edit)).fields(edit) | {"name": "Renamed"}
    page = Page(admin_client.post(preview, typed))
    assert page.says("Edit the template The template")
    assert admin_client.post(edit, page.fields(edit)).status_code == 302
    template.refresh_from_db()
    assert template.name == "Renamed"


def test_a_template_may_keep_its_own_name(admin_client, routine, template):
    url = reverse("edit_template", args=[routine.slug, template.pk])
    assert save(admin_client, url, name=template.name, body="").status_code == 302


def test_a_template_is_found_under_its_own_routine_alone(admin_client, template):
    other = create_routine()
    url = reverse("edit_template", args=[other.slug, template.pk])
    assert admin_client.get(url).status_code == 404


def test_a_run_keeps_the_name_of_a_deleted_template(admin_client, routine, practice, admin):
    press(admin_client, routine)
    routine.text_templates.all().delete()
    run = routine.runs.get()
    assert Page(admin_client.get(f"/history/{run.pk}/")).says("The template")


def test_a_template_may_hold_literal_braces_beside_a_field(admin_client, client, routine, practice):
    """Case 15: the form asks for ticket alone, and the ten characters {{ user }} are sent."""
    body = (
        "Render the greeting for {{ ticket }}.\n"
        'Keep this line as it is: Hello {{ "{{ user }}" }}!\n'
    )
    url = reverse("add_template", args=[routine.slug])
    assert Page(admin_client.get(url)).says('To send {{ user }} itself, write {{ "{{ user }}" }}.')
    shown = Page(
        admin_client.post(
            reverse("preview_template", args=[routine.slug]), {"name": "Greeting", "body": body}
        )
    )
    assert shown.says("Hello {{ user }}!")
    admin_client.post(url, {"name": "Greeting", "body": body, "order": "1"})
    form = Page(client.get(f"/routines/{routine.slug}/run/", {"template": "Greeting"}))
    asked = [
        one.attributes["name"]
        for one in form.elements
        if one.attributes.get("name", "").startswith("field-")
    ]
    assert asked == ["field-ticket"]
    fields = form.fields(f"/routines/{routine.slug}/fire/") | {"field-ticket": "SEN-1"}
    client.post(f"/routines/{routine.slug}/fire/", fields)
    assert practice.sessions[0].text == (
        "Render the greeting for SEN-1.\nKeep this line as it is: Hello {{ user }}!\n"
    )


def test_json_with_a_byte_order_mark_is_told_in_plain_words(client, practice):
    """Case 24: the mark is invisible, so it is named with its place."""
    routine = create_routine(template="{}")
    routine.text_templates.update(is_json=True)
    text = '\ufeff{"summary": "Error rate above 5 %", "service": "checkout"}\n'
    response = press(client, routine, text=text)
    assert response.status_code == 422
    assert Page(response).says(
        "This is no valid JSON: an invisible byte-order mark (U+FEFF), which some editors put into "
        "files, stands in line 1, column 1. Nothing was sent."
    )
    assert practice.requests == 0
