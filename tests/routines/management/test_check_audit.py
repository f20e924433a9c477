"""`manage.py check_audit` walks the audit trail, and `manage.py check` looks at its end."""

from io import StringIO

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from routines.audit import chain, trace
from routines.models import AuditEvent, AuditHead

Action = AuditEvent.Action
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three() -> None:
    AuditEvent._base_manager.all().delete()
    AuditHead.objects.all().delete()
    for name in ("a", "b", "c"):
        trace(Action.GROUP_ADDED, by=None, subject=name)


def check(*arguments: str) -> tuple[int, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("check_audit", *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue() + err.getvalue()
    return 0, out.getvalue() + err.getvalue()


def tamper() -> None:
    AuditEvent._base_manager.filter(subject="b").update(person_name="another")


def test_it_prints_the_head_of_each_chain_to_be_kept_elsewhere():
    code, said = check()
    assert code == 0
    head = AuditHead.objects.get(chain="changes")
    assert f"Changes: 3 entries, unbroken. Head: changes:3:{head.hash}" in said
    assert "Sign-ins: 0 entries, unbroken." in said
    assert check("--kept", f"changes:3:{head.hash}")[0] == 0


def test_it_names_the_first_entry_that_is_broken_and_fails():
    check()
    tamper()
    code, said = check()
    assert code == 1
    assert "Changes: Entry 2 (ID" in said


def test_a_chain_made_anew_does_not_fit_the_head_that_was_kept():
    check()
    kept = f"changes:{AuditHead.objects.get(chain='changes')}"
    tamper()
    AuditEvent._base_manager.update(number=None, hash="")
    AuditHead.objects.all().delete()
    assert check()[0] == 0
    code, said = check("--kept", kept)
    assert (code, "the chain was made anew" in said) == (1, True)


@pytest.mark.parametrize(
    "kept", ["x", "changes:x:y", "others:1:y", "changes:1", f"changes:{'9' * 30}:a"]
)
def test_a_kept_head_that_is_none_is_refused_with_a_sentence(kept):
    if kept == "changes:1":
        assert check("--kept", kept)[0] == 1  # no hash fits an empty one
        return
    with pytest.raises(CommandError, match="must be like changes:1234"):
        check("--kept", kept)


def test_a_plain_check_finds_what_is_broken_near_the_end():
    assert run_checks(tags=["audit"]) == []
    chain.seal()
    assert run_checks(tags=["audit"]) == []
    tamper()
    [found] = run_checks(tags=["audit"])
    assert (found.id, "Entry 2 (ID" in found.msg) == ("routines.W002", True)
