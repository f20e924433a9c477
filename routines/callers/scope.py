"""What a key may fire at this moment, in words for those who give it and those who use it."""

from dataclasses import dataclass

from django.db.models import Q

from routines.models import ApiKey, Person, Routine
from routines.models.routine import RoutineQuerySet
from routines.values import wording

_Confirmation = Routine.Confirmation


@dataclass(frozen=True)
class Scope:
    """`left_out`: those of the key's tags that a tag does not give."""

    routines: list[Routine]
    left_out: list[Routine]

    @property
    def guarded(self) -> list[Routine]:
        """Those that ask people something, or are not for everybody."""
        return [routine for routine in self.routines if rules_for_people(routine)]

    @property
    def asking(self) -> list[Routine]:
        """Those that ask people to confirm: of no use to a personal key."""
        return [one for one in self.routines if one.confirmation != _Confirmation.OFF]


def of(api_key: ApiKey) -> Scope:
    current = with_rules(Routine.objects.current())
    fireable = list(current.fireable_with(api_key))
    left_out: list[Routine] = []
    if not api_key.is_personal:
        tagged = current.filter(tags__in=api_key.tags.all()).distinct()
        left_out = list(tagged.exclude(pk__in=[routine.pk for routine in fireable]))
    return Scope(fireable, left_out)


def choices(person: Person | None, *, given_to: ApiKey | None = None) -> RoutineQuerySet:
    """What a key can be given by name: of a personal one, what its person may run.

    And what one has been given: a routine that is archived for a while is not lost to an edit.
    """
    if person is not None:
        return with_rules(Routine.objects.current().fireable_by(person))
    given = given_to.routines.values("pk") if given_to else []
    return with_rules(Routine.objects.filter(Q(archived_at=None) | Q(pk__in=given)))


def with_rules(routines: RoutineQuerySet) -> RoutineQuerySet:
    return routines.prefetch_related("open_to").order_by("name", "pk")


def rules_for_people(routine: Routine) -> list[str]:
    """What applies to people, not to a team key. Reads `open_to`, which lists prefetch."""
    found = []
    if routine.confirmation != _Confirmation.OFF:
        found.append("asks people to confirm")
    if routine.asks_why:
        found.append("asks people for a reason")
    groups = [group.name for group in routine.open_to.all()]
    if groups:
        found.append(f"open to {wording.listed(sorted(groups))} only")
    elif not routine.open_to_everybody:
        found.append("open to nobody")
    return found
