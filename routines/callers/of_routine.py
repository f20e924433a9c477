"""Which keys fire a routine: what an admin wants to know before it is changed or archived."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q
from django.utils import timezone

from routines.models import ApiKey, Routine, Run
from routines.models.api_key import ApiKeyQuerySet

DAYS = 30


@dataclass(frozen=True)
class KeyOfRoutine:
    """`was_given`: it is a usable team key that may fire the routine, by name or by tag.

    What a personal key may fire is its person's question; it is listed if it fired the routine.
    """

    api_key: ApiKey
    was_given: bool
    runs: int  # of the last DAYS
    last_run_at: datetime | None


def of(routine: Routine) -> list[KeyOfRoutine]:
    """The keys that may fire it, and those that have lately. Most runs first."""
    given = set(_given(routine).values_list("pk", flat=True))
    used = _used(routine)
    api_keys = ApiKey.objects.select_related("person").filter(pk__in=given | used.keys())
    found = [KeyOfRoutine(one, one.pk in given, *used.get(one.pk, (0, None))) for one in api_keys]
    return sorted(found, key=lambda one: (-one.runs, one.api_key.name, one.api_key.pk))


def _given(routine: Routine) -> ApiKeyQuerySet:
    """The other way round of Routine.objects.fireable_with, for team keys."""
    chosen = Q(routines=routine)
    if Routine.objects.filter(pk=routine.pk).opened_by_tag().exists():
        chosen |= Q(tags__in=routine.tags.all())
    return ApiKey.objects.usable().filter(chosen, person=None).order_by().distinct()


def _used(routine: Routine) -> dict[int, tuple[int, datetime | None]]:
    since = timezone.now() - timedelta(days=DAYS)
    rows = (
        Run.objects.filter(routine=routine, created_at__gt=since, api_key__isnull=False)
        .order_by()
        .values_list("api_key")
        .annotate(Count("pk"), Max("created_at"))
    )
    return {api_key: (runs, last) for api_key, runs, last in rows if api_key is not None}
