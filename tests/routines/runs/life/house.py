"""Whose runs live here: two accounts, three routines, two people, and two API keys."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from routines.models import Account, ApiKey, Person, Routine
from routines.models.routine import TOKEN_FIELDS
from routines.people import roles
from routines.values import tokens
from tests.factories import create_admin, create_api_key, create_routine, create_teammate

COOL_DOWN = 60  # seconds, of the last routine
HOURLY_CAP = 3  # of the first key, a team key; the other one is the first person's

Caller = tuple[int | None, int | None]  # person, API key


@dataclass
class House:
    routines: list[Routine]
    people: list[Person]
    admin: Person
    accounts: list[Account]
    api_keys: list[ApiKey]

    def change(self, number: int, how: str) -> None:
        """One of CHANGES befalls the routine with this number."""
        routine = self.routines[number]
        rows = Routine.objects.filter(pk=routine.pk)
        if how in ("token removed", "token renewed"):
            routine = rows.get()
            if how == "token removed":
                routine.remove_token()
            else:
                plain = f"sk-ant-oat01-life-{routine.token_version:08}-abcdefgh"
                routine.set_token(tokens.parse(plain), by=None)
            routine.save(update_fields=TOKEN_FIELDS)
        elif how == "moved":
            other = [one for one in self.accounts if one.pk != rows.get().account_id]
            rows.update(account=other[0])
        else:
            rows.update(**CHANGES[how])

    def let(self, number: int, may: bool) -> None:
        """The person with this number may run routines, or no more."""
        person = self.people[number]
        person.groups.clear()
        if may:
            roles.give(person, roles.Role.TEAMMATE)

    def grant(self, may: bool) -> None:
        """The team key may fire all routines, or none any more."""
        self.api_keys[0].routines.set(self.routines if may else [])

    def make_usable(self) -> None:
        """The keys that were revoked are not, as far as the life of runs can tell."""
        ApiKey.objects.update(revoked_at=None)

    def now(self) -> dict[int, dict[str, Any]]:
        """Each routine as it is, by its primary key."""
        rows = Routine.objects.order_by("pk").select_related("account")
        return {
            routine.pk: {
                "enabled": routine.enabled,
                "archived": routine.is_archived,
                "token": routine.reveal_token().reveal() if routine.has_token else "",
                "account": routine.account_id,
                "held": _later(routine.held_until, routine.account.held_until),
                "cool_down": routine.cool_down,
                "sent": {
                    "routine_id": routine.routine_id,
                    "beta": routine.beta_version,
                    "api": routine.api_version,
                },
                "routine": routine,
            }
            for routine in rows
        }

    def allowed(self) -> set[Caller]:
        """Who may run routines, by primary key; whether a key was revoked is another question."""
        found = Person.objects.filter(is_active=True, groups__permissions__codename="fire_routine")
        people: set[int | None] = set(found.values_list("pk", flat=True))
        theirs, personal = self.api_keys
        callers: set[Caller] = {(person, None) for person in people}
        if personal.person_id in people:
            callers.add((personal.person_id, personal.pk))
        return callers | ({(None, theirs.pk)} if theirs.routines.exists() else set())

    def usable(self) -> dict[int, int]:
        """The keys that were not revoked, with their hourly caps."""
        rows = ApiKey.objects.filter(revoked_at=None)
        return dict(rows.values_list("pk", "hourly_cap"))


CHANGES: dict[str, dict[str, Any]] = {
    "disabled": {"enabled": False},
    "enabled": {"enabled": True},
    "archived": {"archived_at": datetime(2030, 1, 1, tzinfo=timezone.get_default_timezone())},
    "taken out of the archive": {"archived_at": None},
    "token removed": {},
    "token renewed": {},
    "moved": {},
    "given another version": {"beta_version": "experimental-cc-routine-2030-05-05"},
    "given the old version": {"beta_version": "experimental-cc-routine-2026-04-01"},
}


def build() -> House:
    routines = [
        create_routine(name="First", account="Platform"),
        create_routine(name="Second", account="Platform"),
        create_routine(name="Cooling", account="Data", cool_down=COOL_DOWN),
    ]
    people = [create_teammate(), create_teammate()]
    accounts = list(Account.objects.filter(label__in=["Platform", "Data"]))
    api_keys = [
        create_api_key(hourly_cap=HOURLY_CAP, sends_idempotency_key=False),
        create_api_key(person=people[0], all_routines=True, sends_idempotency_key=False),
    ]
    house = House(routines, people, create_admin(), accounts, api_keys)
    house.grant(True)
    return house


def _later(*ends: datetime | None) -> datetime | None:
    return max(filter(None, ends), default=None)
