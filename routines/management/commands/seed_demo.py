from typing import Any

from django.core.management.base import BaseCommand, CommandError

from routines import demo


class Command(BaseCommand):
    help = "Fill an empty database with the demo's routines, people and runs, and say who signs in."

    def handle(self, **options: Any) -> None:
        try:
            demo.seed()
        except demo.Refused as refusal:
            raise CommandError(str(refusal)) from None
        for person in demo.PEOPLE:
            self.stdout.write(f"{person.username:<10} {person.may}")
        self.stdout.write(f"Password of all three: {demo.PASSWORD}")
