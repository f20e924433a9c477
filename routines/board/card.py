"""What one person's board shows: the routines they may fire, each with what there is to know."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import BigIntegerField, Exists, OuterRef, Prefetch, QuerySet, Subquery

from routines.models import Person, Pin, Routine, Run, TextTemplate
from routines.people.roles import Permission
from routines.prepared import Given, prepared
from routines.registry import header_versions
from routines.runs import firing, limits, rules
from routines.values.reasons import Reason


@dataclass(frozen=True)
class Card:
    routine: Routine
    templates: list[TextTemplate]
    last_run: Run | None  # of anybody: that a colleague has just fired is worth knowing
    obstacle: limits.Obstacle | None
    budgets: limits.Budgets
    concerns: list[header_versions.VersionWarning]  # for admins alone: nobody else can mend them
    tags: list[str]
    is_pinned: bool

    @property
    def is_one_click(self) -> bool:
        """True if there is nothing to look at or to answer before it runs."""
        return not self.templates and not rules.asks_something(self.routine)


def card_after(run: Run, templates: list[TextTemplate]) -> Card:
    """The card after a press, which may have left a hold or a cool-down behind.

    `templates`: those that the pressed form offered.
    """
    # As it was read for the press. Should somebody have disabled it meanwhile, or met a 429, the
    # next press is told.
    routine = run.routine
    if run.reason == Reason.LIMIT_REACHED:
        routine = Routine.objects.select_related("account").get(pk=routine.pk)
    # Both in one query: the answer of the press waits for it.
    marks = _marks(routine=routine.pk, person=run.person_id)
    return Card(
        routine=routine,
        templates=templates,
        last_run=run,
        obstacle=limits.obstacle(routine, limits.last_sent_of([routine]).get(routine.pk)),
        budgets=limits.budgets([routine])[routine.pk],
        concerns=_concerns(run.person, [routine])[routine.pk],
        tags=[tag for _, tag in marks if tag],
        is_pinned=any(is_pinned for is_pinned, _ in marks),
    )


@prepared(routine=BigIntegerField(), person=BigIntegerField())
def _marks(routine: Given, person: Given) -> QuerySet[Routine, tuple[bool, str | None]]:
    """A row for each tag, or one with None."""
    marked = Routine.objects.filter(pk=routine).annotate(is_pinned=Exists(_pin_of(person)))
    return marked.order_by("tags__name").values_list("is_pinned", "tags__name")


def cards(
    person: Person, *, slug: str | None = None, pks: Collection[int] | None = None
) -> list[Card]:
    """One card a routine, in a constant number of queries; or those of some routines alone."""
    firing.settle_overdue_runs()
    routines = Routine.objects.fireable_by(person).current()
    if slug is not None:
        routines = routines.filter(slug=slug)
    if pks is not None:
        routines = routines.filter(pk__in=pks)
    routines = routines.annotate(is_pinned=Exists(_pin_of(person))).select_related("account")
    usable = TextTemplate.objects.usable_by(person)
    templates = Prefetch("text_templates", queryset=usable)
    found = list(routines.prefetch_related(templates, "tags"))
    newest = _newest_runs(found)
    last_sent = limits.last_sent_of(found)
    budgets = limits.budgets(found)
    concerns = _concerns(person, found)
    made = []
    for routine in found:
        card = Card(
            routine=routine,
            templates=list(routine.text_templates.all()),
            last_run=newest.get(routine.pk),
            obstacle=limits.obstacle(routine, last_sent.get(routine.pk)),
            budgets=budgets[routine.pk],
            concerns=concerns[routine.pk],
            tags=[tag.name for tag in routine.tags.all()],
            is_pinned=routine.is_pinned,  # type: ignore[attr-defined]  # annotated
        )
        made.append(card)
    return made


def _pin_of(person: Person | Given) -> QuerySet[Pin]:
    return Pin.objects.filter(person=person, routine=OuterRef("pk"))


def last_runs(person: Person, routines: Collection[int]) -> list[tuple[Routine, Run]]:
    """The last run, of anybody, of those of these routines that are on this person's board."""
    found = Routine.objects.fireable_by(person).current().filter(pk__in=routines)
    routines_on_board = list(found.only("name", "slug"))
    newest = _newest_runs(routines_on_board)
    return [(routine, newest[routine.pk]) for routine in routines_on_board if routine.pk in newest]


def _newest_runs(routines: Collection[Routine]) -> dict[int, Run]:
    """By the routine's primary key. One look into an index for each, however many runs it has."""
    newest = Run.objects.filter(routine=OuterRef("pk")).newest_first().values("pk")[:1]
    of_these = Routine.objects.filter(pk__in=[routine.pk for routine in routines]).order_by()
    runs = (
        Run.objects.filter(pk__in=of_these.annotate(newest=Subquery(newest)).values("newest"))
        .select_related("person")
        .defer("text", "error_message")  # may be long, and no card shows them
    )
    return {run.routine_id: run for run in runs}


def _concerns(
    person: Person, routines: Collection[Routine]
) -> dict[int, list[header_versions.VersionWarning]]:
    if not person.has_perm(Permission.MANAGE_REGISTRY):
        return {routine.pk: [] for routine in routines}
    versions = header_versions.known()
    return {routine.pk: versions.warnings(routine) for routine in routines}
