"""What is exported can be imported: here it changes nothing, elsewhere it makes the same."""

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from routines import registry
from routines.models import Account, AuditEvent, Person, Routine, TextTemplate
from routines.registry import as_code, tags
from routines.text_templates import Field
from tests.factories import create_admin, create_routine

pytestmark = pytest.mark.django_db

ODD = ["no", "on", "2023-06-01", "12", "~", "null", "a: b", "# no comment", "'", '"', "- x", "{}"]
LITERAL = 'Keep {{ "{{ user }}" }} for {{ ticket }}'  # braces that are sent as they are


@pytest.fixture
def admin() -> Person:
    return create_admin()


@pytest.fixture
def whole(admin: Person) -> Routine:
    """A routine with everything that a file can say."""
    routine = create_routine(
        name="Alert triage", cool_down=60, hourly_limit=0, enabled=False, template=""
    )
    tags.write_tags(routine, ["on call", "release"])
    group = Group.objects.create(name="On call: tier #1")
    registry.set_rules(
        routine,
        open_to=[group],
        confirmation="type_name",
        asks_why=True,
        runs_seen_by_group=True,
        by=admin,
    )
    for number, body in enumerate(
        ['{\n  "a": 1\n}\n', "  indented\n\n\nend  ", "\ttab", LITERAL, *ODD]
    ):
        registry.add_template(routine, name=f"T {number}", body=body, order=number, by=admin)
    fields = [
        Field("a", "Label: a", "# help", "no", False),
        Field("b", kind="choice", choices=("on", "12", "- x"), default="12"),
        Field("c", kind="lines", default="one\n\n two\n", pattern="(?s).*"),
    ]
    body = '{"a": "{{ a }}{{ b }}{{ c }}{{ undefined }}"}'
    registry.add_template(
        routine, name="Fields", body=body, fields=fields, is_json=True, order=90, by=admin
    )
    registry.set_account("Platform account", hourly_limit=7, by=admin)
    return routine


def contents() -> list[object]:
    routines = Routine.objects.order_by("routine_id").values(
        "routine_id",
        "name",
        "slug",
        "purpose",
        "account__label",
        "beta_version",
        "api_version",
        "hourly_limit",
        "cool_down",
        "enabled",
        "confirmation",
        "asks_why",
        "runs_seen_by_group",
        "tags__name",
        "open_to__name",
        "open_to_everybody",
    )
    templates = TextTemplate.objects.order_by("order", "pk").values(
        "name", "body", "is_json", "fields"
    )
    accounts = Account.objects.order_by("label").values("label", "hourly_limit")
    return [list(routines), list(templates), list(accounts)]


def imported(text: str, **options: bool) -> list[str]:
    changes = as_code.apply(as_code.read(text.encode()), **options)
    return [change.what for change in changes if change.what]


def test_a_routine_that_is_open_to_nobody_stays_so_in_a_file(whole: Routine):
    Group.objects.filter(name="On call: tier #1").delete()
    text = as_code.write()
    assert "open_to: nobody" in text
    whole.delete()
    imported(text)
    assert Routine.objects.get().is_open_to_nobody


def test_importing_what_was_exported_changes_nothing(whole: Routine):
    before, events = contents(), AuditEvent.objects.count()
    assert imported(as_code.write()) == []
    assert (contents(), AuditEvent.objects.count()) == (before, events)


def test_another_dashboard_becomes_the_same_but_for_the_token(whole: Routine):
    text, before = as_code.write(), contents()
    TextTemplate.objects.all().delete()
    Routine.objects.all().delete()
    Account.objects.all().delete()
    assert imported(text)
    assert contents() == before
    routine = Routine.objects.get()
    assert not routine.has_token
    assert AuditEvent.objects.filter(routine=routine, action="routine_registered").exists()
    assert imported(text) == []


def test_the_file_holds_no_part_of_a_token(whole: Routine):
    text = as_code.write()
    assert whole.token_encrypted not in text
    assert whole.reveal_token().reveal()[-12:] not in text
    assert "token" not in text.partition("\n")[2].lower()


def test_a_dry_run_tells_and_changes_nothing(whole: Routine):
    text = as_code.write().replace("name: Alert triage", "name: Renamed")
    before, events = contents(), AuditEvent.objects.count()
    assert imported(text, dry_run=True) == ["changed name"]
    assert (contents(), AuditEvent.objects.count()) == (before, events)
    assert imported(text) == ["changed name"]
    assert Routine.objects.get().name == "Renamed"


def test_what_the_file_does_not_name_is_left_alone(whole: Routine):
    other = create_routine(name="Other", template="Kept.")
    assert imported(f"routines:\n  - routine_id: {whole.routine_id}\n    purpose: New.\n")
    assert other.text_templates.get().body == "Kept."
    whole.refresh_from_db()
    assert (whole.purpose, whole.name, whole.cool_down) == ("New.", "Alert triage", 60)
    assert whole.text_templates.count() > 3


def test_the_templates_that_are_written_are_the_whole_truth_of_the_shared_ones(
    whole: Routine, admin: Person
):
    own = TextTemplate.objects.create(routine=whole, owner=admin, name="Mine", body="x")
    imported(
        f"routines:\n  - routine_id: {whole.routine_id}\n    templates:\n"
        "      - name: Second\n      - name: T 1\n        body: Changed.\n"
    )
    shared = whole.text_templates.filter(owner=None).order_by("order", "pk")
    assert list(shared.values_list("name", "body")) == [("Second", ""), ("T 1", "Changed.")]
    assert TextTemplate.objects.filter(pk=own.pk).exists()


def test_the_commands_write_and_read_a_file(whole: Routine, tmp_path: Path):
    path, said = tmp_path / "routines.yaml", StringIO()
    call_command("export_routines", str(path))
    call_command("import_routines", str(path), stdout=said)
    assert "Nothing to change." in said.getvalue()
    with pytest.raises(CommandError, match=r"none\.yaml cannot be read"):
        call_command("import_routines", str(tmp_path / "none.yaml"))
    path.write_text("routines:\n  - routine_id: nonsense\n")
    with pytest.raises(CommandError, match=r"line 2, routine_id: .*\nNothing was changed\."):
        call_command("import_routines", str(path))


def test_a_token_in_a_stored_text_stops_the_export():
    routine = create_routine()
    Routine.objects.filter(pk=routine.pk).update(purpose="sk-ant-oat01-abcdefgh1234")
    with pytest.raises(as_code.ExportRefused) as refused:
        as_code.write()
    assert "purpose" in str(refused.value)
    assert "abcdefgh" not in str(refused.value)


@effort(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=60)
    | st.sampled_from(ODD)
)
def test_any_text_that_can_be_stored_comes_back(admin: Person, body: str):
    TextTemplate.objects.all().delete()
    Routine.objects.all().delete()
    routine = create_routine()
    registry.add_template(routine, name="T", body=body, by=admin)
    assert imported(as_code.write()) == []
    assert routine.text_templates.get().body == body
