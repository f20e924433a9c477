import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from routines import people
from routines.models import Person
from routines.people.roles import Role


class Command(BaseCommand):
    help = "Make a person who may do everything (role Admin). Asks for username and password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username", default="", help="what they sign in with")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from the first line of standard input; needs --username",
        )

    def handle(self, *, username: str, password_stdin: bool, **options: Any) -> None:
        if password_stdin and not username:
            raise CommandError("--password-stdin needs --username: standard input is taken.")
        try:
            person = self._person(username)
            password = self._password_from_stdin(person) if password_stdin else _ask(person)
            people.add_person(
                username=person.username,
                roles=[Role.ADMIN],
                password=password,
                password_is_initial=False,  # whoever typed it is the person
                by=None,
            )
        except (KeyboardInterrupt, EOFError):
            raise CommandError("Stopped. Nobody was added.") from None
        except people.Refused as refused:
            raise CommandError(str(refused)) from None
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(f"The database is not ready; run migrate first. ({error})") from None
        self.stdout.write(f"{person.username} may sign in now, as an admin.")

    def _person(self, username: str) -> Person:
        person = Person(username=username or input("Username: ").strip())
        people.check_username_is_free(person.username)
        try:
            person.full_clean(exclude=["password"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        return person

    def _password_from_stdin(self, person: Person) -> str:
        password = sys.stdin.readline().rstrip("\r\n")
        try:
            validate_password(password, person)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        return password


def _ask(person: Person) -> str:
    """Ask until a password is good and typed the same way twice."""
    while True:
        password = getpass("Password: ")
        try:
            validate_password(password, person)
        except ValidationError as error:
            print(" ".join(error.messages), file=sys.stderr)
            continue
        if getpass("Password again: ") == password:
            return password
        print("The two are not the same.", file=sys.stderr)
