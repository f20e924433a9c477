"""Which routines a key is shown, with what there is to know before it fires one."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from routines.models import Routine, TextTemplate
from routines.registry import tags
from tests.dashboard.api.programs import Program
from tests.factories import create_key_and_secret, create_routine, create_teammate

pytestmark = pytest.mark.django_db


def slugs(program: Program) -> list[str]:
    return [one["slug"] for one in program.get("/api/routines").json()["items"]]


@pytest.fixture
def routines(db) -> dict[str, Routine]:
    """One of each kind, all of them tagged."""
    terms: dict[str, dict[str, Any]] = {
        "open": {"open_to_everybody": True},
        "limited": {"open_to_everybody": False},
        "confirmed": {"open_to_everybody": True, "confirmation": Routine.Confirmation.CONFIRM},
        "archived": {"open_to_everybody": True, "archived_at": timezone.now()},
    }
    found = {name: create_routine(slug=name, **values) for name, values in terms.items()}
    for routine in found.values():
        tags.write_tags(routine, ["on call"])
    return found


def test_a_key_is_shown_the_routines_that_it_may_fire(routines):
    named = Program(create_key_and_secret(routines["limited"], routines["archived"])[1])
    assert slugs(named) == ["limited"]
    tagged = Program(create_key_and_secret(tags=routines["open"].tags.all())[1])
    assert slugs(tagged) == ["open"]
    personal = Program(create_key_and_secret(person=create_teammate())[1])
    assert slugs(personal) == ["open", "confirmed"]
    nothing = Program(create_key_and_secret()[1])
    assert slugs(nothing) == []
    for program, reference in ((named, "open"), (tagged, "limited"), (personal, "nowhere")):
        answers = [
            program.get(f"/api/routines/{reference}"),
            program.run(reference, {"text": "x"}),
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.json()["detail"] for answer in answers}) == 1


def test_a_routine_says_what_stands_in_its_way(program, routine):
    def obstacle(**values):
        Routine.objects.filter(pk=routine.pk).update(**values)
        shown = program.get(f"/api/routines/{routine.slug}").json()
        assert shown["can_be_fired"] == (shown["obstacle"] is None)
        return shown["obstacle"]

    assert obstacle() is None
    until = timezone.now() + timedelta(minutes=5)
    assert obstacle(held_until=until)["until"] == until.isoformat().replace("+00:00", "Z")
    assert obstacle(held_until=None, enabled=False)["reason"] == "disabled"
    assert obstacle(archived_at=timezone.now())["reason"] == "archived"
    assert obstacle(archived_at=None, enabled=True) is None


def test_what_is_asked_of_people_is_asked_of_personal_keys(routines, practice):
    asking = create_routine(slug="asking", open_to_everybody=True, asks_why=True)
    personal = Program(create_key_and_secret(person=create_teammate())[1])
    shown = personal.get(f"/api/routines/{asking.slug}").json()
    assert (shown["needs_why"], shown["can_be_fired"]) == (True, True)
    answer = personal.run(asking.slug, {"text": "x"})
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == ["#/why"]
    answer = personal.run(asking.slug, {"text": "x", "why": "It is time."})
    assert (answer.status_code, answer.json()["why"]) == (201, "It is time.")
    confirmed = personal.get("/api/routines/confirmed").json()
    assert (confirmed["needs_confirmation"], confirmed["can_be_fired"]) == (True, False)
    assert personal.run("confirmed", {"text": "x"}).status_code == 403
    admins = Program(create_key_and_secret(asking, routines["confirmed"])[1])
    for routine in (asking, routines["confirmed"]):
        shown = admins.get(f"/api/routines/{routine.slug}").json()
        assert not shown["needs_why"]
        assert not shown["needs_confirmation"]
        assert admins.run(routine.slug, {"text": "x"}).status_code == 201


def test_pages_name_each_routine_once_while_others_are_registered():
    old = [create_routine(slug=f"old-{number}", open_to_everybody=True) for number in range(5)]
    program = Program(create_key_and_secret(person=create_teammate())[1])
    seen: list[str] = []
    path, pages = "/api/routines?size=2", 0
    while path:
        page = program.get(path).json()
        seen += [one["slug"] for one in page["items"]]
        path = (page["next"] or "").removeprefix("http://localhost:8000")
        if pages < 2:
            create_routine(slug=f"a-new-one-{pages}", open_to_everybody=True)
        pages += 1
    assert seen == [*(one.slug for one in old), "a-new-one-0", "a-new-one-1"]
    for cursor in ("x", "-1", "9" * 19, "٣"):
        assert program.get("/api/routines", {"cursor": cursor}).status_code == 422


# --- Templates ---


@pytest.fixture
def template(routine) -> TextTemplate:
    return TextTemplate.objects.create(
        routine=routine,
        name="An alert",
        body="{{ alert }} in {{ place }}, says {{ person }}.",
        fields=[
            {"name": "alert", "label": "Alert", "pattern": "[A-Z]+-[0-9]+", "help": "Like SEN-1."},
            {"name": "place", "kind": "choice", "choices": ["staging", "production"]}
            | {"default": "production"},
        ],
    )


def test_a_template_tells_its_fields_and_is_filled_in(program, routine, template, practice):
    [shown] = program.get(f"/api/routines/{routine.slug}").json()["templates"]
    assert shown["name"] == template.name
    assert [(one["name"], one["kind"], one["required"]) for one in shown["fields"]] == [
        ("alert", "line", True),
        ("place", "choice", True),
    ]
    assert shown["fields"][0]["pattern"] == "[A-Z]+-[0-9]+"
    assert shown["fields"][1]["choices"] == ["staging", "production"]
    body = {"template": "An alert", "values": {"alert": "SEN-7"}}
    answer = program.run(routine.slug, body)
    assert (answer.status_code, answer.json()["template"]) == (201, "An alert")
    assert practice.sessions[0].text == "SEN-7 in production, says Alerting."


def test_each_value_that_is_missing_unknown_or_wrong_is_named(program, routine, template, practice):
    values = {"place": "the moon", "person": "root", "colour": "red"}
    answer = program.run(routine.slug, {"template": "An alert", "values": values})
    assert answer.status_code == 422
    found = {one["pointer"].removeprefix("#/values/") for one in answer.json()["errors"]}
    assert found == {"alert", "place", "person", "colour"}
    assert practice.requests == 0


def test_a_repeated_call_is_the_same_run_though_its_template_has_changed(
    program, routine, template, practice
):
    template.body += " At {{ now }}."
    template.save()
    body = {"template": "An alert", "values": {"alert": "SEN-7"}}
    headers = {"Idempotency-Key": "one"}
    first = program.run(routine.slug, body, **headers)
    TextTemplate.objects.filter(pk=template.pk).update(body="{{ other }}", fields=[])
    assert program.run(routine.slug, body, **headers).json() == first.json()
    template.delete()
    assert program.run(routine.slug, body, **headers).json() == first.json()
    body["values"] = {"alert": "SEN-8"}
    assert program.run(routine.slug, body, **headers).status_code == 422
    assert len(practice.sessions) == 1


def test_a_persons_own_templates_are_their_keys_alone(routine, template, practice):
    person = create_teammate(username="ada")
    personal = Program(create_key_and_secret(person=person)[1])
    TextTemplate.objects.create(routine=routine, owner=person, name="Mine", body="{{ person }}")
    names = personal.get(f"/api/routines/{routine.slug}").json()["templates"]
    assert [(one["name"], one["is_own"]) for one in names] == [("An alert", False), ("Mine", True)]
    assert personal.run(routine.slug, {"template": "Mine"}).status_code == 201
    assert practice.sessions[0].text == str(person)
    others = Program(create_key_and_secret(routine)[1])
    assert others.run(routine.slug, {"template": "Mine"}).status_code == 422
    TextTemplate.objects.create(routine=routine, owner=person, name="An alert", body="x")
    answer = personal.run(routine.slug, {"template": "An alert"})
    assert (answer.status_code, "Two templates" in answer.json()["detail"]) == (422, True)


def test_a_value_stays_one_string_of_a_json_text(program, routine, practice):
    TextTemplate.objects.create(
        routine=routine, name="Data", body='{"a": "{{ a }}", "b": {{ b }}}', is_json=True
    )

    def sent(**values):
        return program.run(routine.slug, {"template": "Data", "values": values}).status_code

    assert sent(a='x", "c": "', b="1") == 201
    assert practice.sessions[0].text == '{"a": "x\\", \\"c\\": \\"", "b": 1}'
    assert sent(a="x", b="nonsense") == 422
    assert len(practice.sessions) == 1


def test_what_an_answer_links_to_is_the_routine_and_no_other():
    """Though one was named so that its slug is the ID of another."""
    mine, _ = create_routine(name="trig_other"), create_routine(routine_id="trig_other")
    program = Program(create_key_and_secret(mine)[1])
    shown = program.get(f"/api/routines/{mine.routine_id}").json()
    again = program.get(shown["url"].removeprefix("http://localhost:8000"))
    assert again.json() == shown
    assert shown["runs_url"] == f"{shown['url']}/runs"
