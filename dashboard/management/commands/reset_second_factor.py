from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboard.sign_in import second_factor
from routines.models import Person


class Command(BaseCommand):
    help = "Take away a person's second factors, for somebody who has lost theirs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **options: Any) -> None:
        person = Person.objects.named(username)
        if person is None:
            raise CommandError("There is no person with that username.")
        if not second_factor.reset(person, by=None):
            raise CommandError(f"{person.username} has no second factor.")
        self.stdout.write(f"{person.username} signs in with the password alone, and may set it up.")
