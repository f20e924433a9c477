import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from routines.models import Person
from routines.people.roles import Permission, Role

PASSWORD = "correct horse battery staple"
ASK = "routines.management.commands.createadmin.getpass"

pytestmark = pytest.mark.django_db


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Any:
    def give(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return give


def type_passwords(monkeypatch: pytest.MonkeyPatch, *typed: str) -> None:
    answers = iter(typed)
    monkeypatch.setattr(ASK, lambda prompt: next(answers))


def test_makes_an_admin_who_may_do_everything(stdin, capsys):
    stdin(f"{PASSWORD}\n")
    call_command("createadmin", "--username", "keeper", "--password-stdin")
    person = Person.objects.get(username="keeper")
    assert person.check_password(PASSWORD)
    assert [group.name for group in person.groups.all()] == [Role.ADMIN]
    assert all(person.has_perm(permission) for permission in Permission)
    assert not person.is_superuser
    assert PASSWORD not in capsys.readouterr().out


def test_asks_for_username_and_password(monkeypatch):
    monkeypatch.setattr("builtins.input", lambda prompt: " keeper ")
    type_passwords(monkeypatch, PASSWORD, PASSWORD)
    call_command("createadmin")
    assert Person.objects.get().check_password(PASSWORD)
    assert Person.objects.get().username == "keeper"


def test_asks_again_after_a_weak_password_and_after_two_that_differ(monkeypatch, capsys):
    type_passwords(monkeypatch, "12345678", PASSWORD, "something else", PASSWORD, PASSWORD)
    call_command("createadmin", "--username", "keeper")
    assert Person.objects.get().check_password(PASSWORD)
    told = capsys.readouterr().err
    assert "too common" in told
    assert "not the same" in told


@pytest.mark.parametrize("password", ["", "short", "12345678901234", "keeper-of-keys"])
def test_a_weak_password_from_stdin_adds_nobody(stdin, password):
    stdin(f"{password}\n")
    with pytest.raises(CommandError):
        call_command("createadmin", "--username", "keeper-of-keys", "--password-stdin")
    assert not Person.objects.exists()


@pytest.mark.parametrize("username", ["two words", "semi;colon", "x" * 151])
def test_an_invalid_username_adds_nobody(stdin, username):
    stdin(f"{PASSWORD}\n")
    with pytest.raises(CommandError):
        call_command("createadmin", "--username", username, "--password-stdin")
    assert not Person.objects.exists()


@pytest.mark.parametrize("username", ["keeper", "KEEPER"])
def test_a_username_is_given_once_whatever_its_case(stdin, username):
    Person.objects.create_user("keeper", password=PASSWORD)
    stdin(f"{PASSWORD}\n")
    with pytest.raises(CommandError, match="exists"):
        call_command("createadmin", "--username", username, "--password-stdin")
    assert Person.objects.count() == 1


def test_a_password_from_stdin_needs_a_username():
    with pytest.raises(CommandError, match="--username"):
        call_command("createadmin", "--password-stdin")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, EOFError])
def test_an_interruption_adds_nobody(monkeypatch, interruption):
    def interrupt(prompt: str) -> str:
        raise interruption

    monkeypatch.setattr(ASK, interrupt)
    with pytest.raises(CommandError, match="Nobody was added"):
        call_command("createadmin", "--username", "keeper")
    assert not Person.objects.exists()
