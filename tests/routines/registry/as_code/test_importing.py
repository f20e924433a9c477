"""Importing a file: all of it or nothing, twice the same, every change in the audit trail."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from routines import registry
from routines.models import Account, AuditEvent, Routine, TextTemplate
from routines.registry import header_versions
from routines.registry.as_code import Change, DocumentRefused, apply, read
from tests.factories import create_person, create_routine, create_version
from tests.routines.runs.firing.pressing import at_once, while_moving

pytestmark = pytest.mark.django_db

NEW = """\
accounts:
  - label: Platform team
    hourly_limit: 50
routines:
  - routine_id: trig_one
    name: Alert triage
    account: Platform team
    cool_down: 60
    enabled: false
    open_to: [Managers]
    confirmation: type_name
    asks_why: true
    templates:
      - name: Alert
        body: Look into it.
      - name: Report
        body: Read it.
"""


def imported(text: str, **options: Any) -> list[str]:
    return [str(change) for change in apply(read(text.encode()), **options)]


def refused(text: str) -> list[str]:
    with pytest.raises(DocumentRefused) as error:
        imported(text)
    return [str(problem) for problem in error.value.problems]


def stored() -> list[list[Any]]:
    tables = (Account, Routine, TextTemplate, AuditEvent, Routine.open_to.through)
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


# --- A new routine ---


def test_a_new_routine_is_registered_with_everything_but_a_token():
    said = imported(NEW)
    routine = Routine.objects.get()
    assert (routine.name, routine.slug, routine.account.label) == (
        "Alert triage",
        "alert-triage",
        "Platform team",
    )
    assert (routine.enabled, routine.cool_down, routine.is_archived) == (False, 60, False)
    assert (routine.confirmation, routine.asks_why) == ("type_name", True)
    assert [group.name for group in routine.open_to.all()] == ["Managers"]
    assert not routine.has_token
    assert routine.beta_version == header_versions.BETA_VERSION
    assert routine.account.hourly_limit == 50
    templates = routine.text_templates.values_list("name", "body", "order")
    assert list(templates) == [("Alert", "Look into it.", 0), ("Report", "Read it.", 1)]
    assert said == [
        "account Platform team: added",
        "routine Alert triage (trig_one): registered, without a token yet, changed open_to, "
        "changed confirmation, changed asks_why, disabled, added the template “Alert”, "
        "added the template “Report”",
    ]


def test_each_change_has_its_event_by_the_command_line():
    imported(NEW)
    assert actions() == [
        "account_edited",
        "routine_registered",
        "routine_edited",
        "routine_disabled",
        "template_added",
        "template_added",
    ]
    assert {(event.person_name, event.person) for event in AuditEvent.objects.all()} == {
        ("command line", None)
    }
    [account, _, rules, *_] = AuditEvent.objects.order_by("pk")
    assert account.changes == {"label": [None, "Platform team"], "hourly_limit": [None, 50]}
    assert account.subject == "Platform team"
    assert rules.changes == {
        "open_to": ["everybody", ["Managers"]],
        "confirmation": ["off", "type_name"],
        "asks_why": [False, True],
    }


def test_a_new_routine_without_versions_gets_the_newest():
    create_version("experimental-cc-routine-2026-10-01")
    imported(NEW)
    assert Routine.objects.get().beta_version == "experimental-cc-routine-2026-10-01"


def test_an_address_that_is_written_down_is_not_given_to_another_new_routine():
    imported(
        "accounts: [{label: a}]\nroutines:\n"
        "  - {routine_id: trig_one, name: Same, account: a}\n"
        "  - {routine_id: trig_two, name: Same, account: a, slug: same}\n"
    )
    slugs = dict(Routine.objects.values_list("routine_id", "slug"))
    assert slugs == {"trig_one": "same-2", "trig_two": "same"}


# --- Twice, and partly ---


def test_importing_twice_changes_nothing():
    imported(NEW)
    before = stored()
    assert imported(NEW) == [
        "account Platform team: unchanged",
        "routine Alert triage (trig_one): unchanged",
    ]
    assert stored() == before


def test_what_the_file_does_not_name_is_left_alone():
    other = create_routine(name="Other", template="x", cool_down=5, hourly_limit=7)
    token = other.token_encrypted
    imported(NEW)
    imported(f"routines: [{{routine_id: {other.routine_id}, name: Renamed}}]")
    other.refresh_from_db()
    assert (other.name, other.cool_down, other.hourly_limit) == ("Renamed", 5, 7)
    assert (other.slug, other.token_encrypted) == ("other", token)
    assert other.text_templates.get().body == "x"
    assert Routine.objects.count() == 2


CHANGES: dict[str, tuple[str, str, str]] = {
    "name": ("name: Renamed", "routine_edited", "changed name"),
    "purpose": ("purpose: Another.", "routine_edited", "changed purpose"),
    "account": ("account: Other account", "routine_edited", "changed account"),
    "beta version": ("beta_version: do not send", "routine_edited", "changed beta_version"),
    "limit": ("hourly_limit: 0", "routine_edited", "changed hourly_limit"),
    "pause": ("cool_down: 5", "routine_edited", "changed cool_down"),
    "address": ("slug: elsewhere", "routine_edited", "changed slug"),
    "groups": ("open_to: [Admins]", "routine_edited", "changed open_to"),
    "confirmation": ("confirmation: confirm", "routine_edited", "changed confirmation"),
    "reason": ("asks_why: true", "routine_edited", "changed asks_why"),
    "tags": ("tags: [Release, on call]", "routine_edited", "changed tags"),
    "rights": ("runs_seen_by_group: true", "routine_edited", "changed runs_seen_by_group"),
    "disabled": ("enabled: false", "routine_disabled", "disabled"),
    "archived": ("archived: true", "routine_archived", "archived"),
    "new text": (
        "templates: [{name: The template, body: New.}]",
        "template_edited",
        "changed the template “The template”",
    ),
}


@pytest.mark.parametrize(("line", "action", "said"), CHANGES.values(), ids=list(CHANGES))
def test_one_change_is_made_said_and_traced_once(line: str, action: str, said: str):
    registry.set_account("Other account", hourly_limit=None, by=None)
    routine = create_routine(name="Name", routine_id="trig_one", template="x")
    before = len(actions())
    text = f"routines:\n  - routine_id: trig_one\n    {line}\n"
    [change] = imported(text)
    assert change.endswith(f"(trig_one): {said}")
    assert actions()[before:] == [action]
    assert AuditEvent.objects.latest("pk").routine == routine
    assert imported(text)[0].endswith("unchanged")
    assert len(actions()) == before + 1


def test_a_routine_is_enabled_and_restored():
    create_routine(routine_id="trig_one", enabled=False, archived_at=timezone.now())
    [said] = imported("routines: [{routine_id: trig_one, enabled: true, archived: false}]")
    assert said.endswith(": enabled, restored")
    assert Routine.objects.get().enabled
    assert not Routine.objects.get().is_archived


# --- Templates ---


def with_templates(*names: str) -> str:
    members = ", ".join(f"{{name: {name}, body: {name}}}" for name in names)
    return f"routines: [{{routine_id: trig_one, templates: [{members}]}}]"


def orders() -> dict[str, int]:
    return dict(TextTemplate.objects.values_list("name", "order"))


def test_the_file_is_the_whole_truth_for_the_templates_of_a_routine():
    create_routine(routine_id="trig_one", template="x")
    [said] = imported(with_templates("A"))
    assert said.endswith(": deleted the template “The template”, added the template “A”")
    imported("routines: [{routine_id: trig_one, templates: []}]")
    assert not TextTemplate.objects.exists()


def test_a_template_that_somebody_keeps_for_themselves_stays():
    routine = create_routine(routine_id="trig_one", template="x")
    own = TextTemplate.objects.create(
        routine=routine, owner=create_person(), name="The template", body="mine"
    )
    imported("routines: [{routine_id: trig_one, templates: []}]")
    assert list(TextTemplate.objects.all()) == [own]


def with_fields(fields: str, body: str = "'{{ a }}'") -> str:
    template = f"name: The template, body: {body}, json: true, fields: {fields}"
    return f"routines:\n- routine_id: trig_one\n  templates:\n  - {{{template}}}"


def test_the_fields_of_a_template_are_changed_said_and_traced():
    create_routine(routine_id="trig_one", template="{{ a }}")
    [said] = imported(with_fields("[{name: a, kind: choice, choices: [no, 1]}]"))
    assert said.endswith(": changed the template “The template”")
    template = TextTemplate.objects.get()
    assert template.fields == [{"name": "a", "kind": "choice", "choices": ["no", "1"]}]
    assert template.is_json
    changes = AuditEvent.objects.get(action="template_edited").changes
    assert changes["fields"] == [[], template.fields]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("[{name: b}]", "line 4, name: “b” stands nowhere in the text."),
        ("[{name: a, pattern: '('}]", "line 4, pattern: This pattern cannot be used"),
        ("[{name: a, kind: choice}]", "line 4, choices: Write the choices"),
        ("[{name: a}, {name: a}]", "line 4, name: “a” stands on line 4 already."),
        ("[{name: a, lable: x}]", "line 4, lable: There is no such field. Is label meant?"),
    ],
)
def test_fields_that_cannot_be_are_told_by_their_line(fields: str, problem: str):
    create_routine(routine_id="trig_one", template="x")
    with pytest.raises(DocumentRefused) as refused:
        imported(with_fields(fields))
    assert str(refused.value).startswith(problem)
    assert TextTemplate.objects.get().body == "x"


def test_the_order_of_the_file_is_the_order_of_the_templates():
    create_routine(routine_id="trig_one")
    imported(with_templates("A", "B", "C"))
    [said] = imported(with_templates("C", "A", "B"))
    assert [template.name for template in TextTemplate.objects.all()] == ["C", "A", "B"]
    assert said.endswith(": moved the template “A”, moved the template “B”")


@pytest.mark.parametrize("given", [(0, 0, 0), (3, 7, 7), (5, 5, 32_767)])
def test_an_order_that_is_right_already_stays_as_it_is_stored(given: tuple[int, ...]):
    routine = create_routine(routine_id="trig_one")
    for name, order in zip("ABC", given, strict=True):
        registry.add_template(routine, name=name, body=name, order=order, by=None)
    assert imported(with_templates("A", "B", "C"))[0].endswith("unchanged")
    assert tuple(orders().values()) == given


def test_a_template_behind_the_last_possible_place_finds_one():
    routine = create_routine(routine_id="trig_one")
    registry.add_template(routine, name="A", body="A", order=32_767, by=None)
    imported(with_templates("A", "B"))
    assert orders() == {"A": 0, "B": 1}


# --- What is refused against what is stored ---

HEAD = "routines:\n  - routine_id: trig_new\n    name: New\n    account: Platform account\n"
AGAINST_THE_STORED = {
    "group": ("    open_to: [Nobody]", "line 5, open_to: “Nobody” is no group here. Add the group"),
    "beta version": (
        "    beta_version: experimental-cc-routine-2026-12-01",
        "line 5, beta_version: “experimental-cc-routine-2026-12-01” is not known here. Add it",
    ),
    "API version": (
        "    api_version: 2020-01-01",
        "line 5, api_version: “2020-01-01” is not known",
    ),
    "address": ("    slug: other", "line 5, slug: “other” is taken by “Other” (trig_other)."),
}


@pytest.mark.parametrize(
    ("line", "problem"), AGAINST_THE_STORED.values(), ids=list(AGAINST_THE_STORED)
)
def test_what_does_not_fit_what_is_stored_is_refused_by_its_line(line: str, problem: str):
    create_routine(name="Other", routine_id="trig_other")
    before = stored()
    [found] = refused(HEAD + line)
    assert found.startswith(problem)
    assert stored() == before


def test_a_new_routine_needs_a_name_and_a_known_account():
    assert refused("routines: [{routine_id: trig_new}]") == [
        "line 1, account: This is missing, and the routine is a new one.",
        "line 1, name: This is missing, and the routine is a new one.",
    ]
    [found] = refused("routines: [{routine_id: trig_new, name: x, account: Platfrom}]")
    assert found == "line 1, account: “Platfrom” is no account here. Add it under accounts, too."


def test_a_stored_version_that_is_not_known_may_stay_and_no_other_routine_gets_it():
    create_routine(routine_id="trig_one", beta_version="other")
    create_routine(routine_id="trig_two")
    assert imported("routines: [{routine_id: trig_one, beta_version: other}]")
    assert refused("routines: [{routine_id: trig_two, beta_version: other}]")


def test_a_missing_group_is_not_made():
    refused(HEAD.replace("Platform account", "x") + "    open_to: [Nobody]")
    assert not Group.objects.filter(name="Nobody").exists()


def test_one_problem_anywhere_keeps_everything_as_it_is():
    text = NEW + "  - routine_id: trig_two\n    name: x\n    account: Nobody's\n"
    [found] = refused(text)
    assert found.startswith("line 20, account:")
    assert not Routine.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_stored_routine_that_is_not_whole_is_told_by_its_line():
    create_routine(routine_id="trig_one")
    Routine.objects.update(api_version="")
    [found] = refused("\nroutines:\n  - routine_id: trig_one\n    name: Renamed\n")
    assert found.startswith("line 3, routine_id: ")
    assert Routine.objects.get().name != "Renamed"


def test_a_dry_run_says_the_same_and_changes_nothing():
    create_routine(routine_id="trig_two", template="x")
    text = NEW + "  - {routine_id: trig_two, name: Renamed, templates: []}\n"
    before = stored()
    said = imported(text, dry_run=True)
    assert stored() == before
    assert imported(text) == said


@pytest.mark.usefixtures("transactional_db")
class TestAtOnce:
    """Real commits, a connection per thread, as in a server."""

    def test_two_imports_at_once_do_each_change_once(self):
        create_routine(routine_id="trig_one", account="Platform team", name="Before", token=None)
        results = at_once(4, lambda _: imported(NEW))
        assert all(isinstance(result, list) for result in results), results
        edited = AuditEvent.objects.filter(action="routine_edited").order_by("pk")
        # As sets: PostgreSQL keeps the keys of JSON in an order of its own.
        assert [set(event.changes) for event in edited] == [
            {"name", "cool_down"},
            {"open_to", "confirmation", "asks_why"},
        ]
        assert actions().count("routine_disabled") == 1
        assert actions().count("template_added") == 2


def test_a_change_reads_as_a_sentence():
    assert str(Change("routine x", "changed name")) == "routine x: changed name"
    assert str(Change("routine x", "")) == "routine x: unchanged"


@pytest.mark.usefixtures("transactional_db")
def test_a_routine_that_an_admin_just_moves_to_another_account_is_found():
    routine, account = create_routine(), Account.objects.create(label="Other")
    text = f"routines: [{{routine_id: {routine.routine_id}, purpose: Imported}}]"
    [change] = while_moving(routine, account, lambda: imported(text))
    assert change.endswith("changed purpose")
    routine.refresh_from_db()
    assert (routine.purpose, routine.account) == ("Imported", account)
