"""What an API key may fire, whether it can be fired now, and what it starts from."""

from dataclasses import dataclass

from django.db.models import Prefetch, Q

from routines.callers import idempotency
from routines.models import ApiKey, Routine, Run, TextTemplate
from routines.models.routine import RoutineQuerySet, TextTemplateQuerySet
from routines.runs import limits


@dataclass(frozen=True)
class Offer:
    """One routine as one key may fire it. `obstacle`: why it cannot be fired at this moment."""

    routine: Routine
    templates: list[TextTemplate]
    obstacle: limits.Obstacle | None
    needs_person: bool  # it wants to be confirmed, and behind the key is somebody who could
    needs_why: bool


def of(api_key: ApiKey, reference: str) -> Offer | None:
    """The routine of this routine ID or slug; None if the key may not fire it."""
    return next(iter(_offers(api_key, _referred_to(api_key, reference))), None)


def routine(api_key: ApiKey, reference: str, *, idempotency_key: str = "") -> Routine | None:
    """Just the routine that `of` would tell of.

    Or the one that this key fired with `idempotency_key` and has been taken from it since: whoever
    lost that answer must not hear that nothing was started. Nobody fires it anew by this.
    """
    found = _referred_to(api_key, reference).first()
    if found is None and idempotency_key and reference.isprintable():
        key = idempotency.run_key(api_key, idempotency_key)
        earlier = Run.objects.asked_for_with(api_key).filter(key=key).order_by()
        asked_for = Routine.objects.filter(pk__in=earlier.values("routine"))
        found = asked_for.referred_to_as(reference).order_by().first()
    return found


def following(api_key: ApiKey, *, after: int = 0, most: int, search: str = "") -> list[Offer]:
    """The next ones that are not archived, in the order in which they were registered.

    `search`: words, each of which stands in it. `after`: the primary key of the last one before.
    What is registered meanwhile comes last, so nobody who goes on sees a routine twice, or misses
    one.
    """
    found = Routine.objects.fireable_with(api_key).current().filter(pk__gt=after)
    for word in search.replace("\0", " ").split():
        found = found.filter(
            Q(name__icontains=word)
            | Q(slug__icontains=word)
            | Q(purpose__icontains=word)
            | Q(
                pk__in=Routine.tags.through.objects.filter(tag__name__iexact=word).values("routine")
            )
        )
    return _offers(api_key, found.order_by("pk"), most)


def templates(api_key: ApiKey) -> TextTemplateQuerySet:
    """What its runs may start from: the shared ones, and of a personal key its person's own."""
    if api_key.person is None:
        return TextTemplate.objects.shared().order_by("order", "name", "pk")
    return TextTemplate.objects.usable_by(api_key.person)


def _referred_to(api_key: ApiKey, reference: str) -> RoutineQuerySet:
    if not reference.isprintable():  # PostgreSQL takes no NUL, and no routine is called so
        return Routine.objects.none()
    return Routine.objects.fireable_with(api_key).referred_to_as(reference).order_by()


def _offers(api_key: ApiKey, found: RoutineQuerySet, most: int | None = None) -> list[Offer]:
    usable = Prefetch("text_templates", queryset=templates(api_key))
    routines = list(found.select_related("account").prefetch_related(usable, "tags")[:most])
    last_sent = limits.last_sent_of(routines)
    return [
        Offer(
            routine=routine,
            templates=list(routine.text_templates.all()),
            obstacle=limits.obstacle(routine, last_sent.get(routine.pk)),
            needs_person=api_key.is_personal and routine.confirmation != Routine.Confirmation.OFF,
            needs_why=api_key.is_personal and routine.asks_why,
        )
        for routine in routines
    ]
