"""What one person's board shows: the routines they may fire, each with what there is to know."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import OuterRef, Prefetch, Subquery

from routines import access, firing, header_versions, limits
from routines.models import Person, Routine, Run, TextTemplate
from routines.reasons import Reason
from routines.roles import Permission


@dataclass(frozen=True)
class Card:
    routine: Routine
    templates: list[TextTemplate]
    last_run: Run | None  # of anybody: that a colleague has just fired is worth knowing
    obstacle: limits.Obstacle | None
    budgets: limits.Budgets
    concerns: list[header_versions.Concern]  # for admins alone: nobody else can mend them

    @property
    def is_one_click(self) -> bool:
        """True if there is nothing to look at or to answer before it runs."""
        return not self.templates and not access.asks_something(self.routine)


def card_after(run: Run) -> Card:
    """The card after a press, which may have left a hold or a cool-down behind."""
    routine = run.routine  # as it was read for the press
    if run.reason == Reason.LIMIT_REACHED:
        routine = Routine.objects.select_related("account").get(pk=routine.pk)
    last_sent = limits.last_sent(routine) if routine.cool_down else None
    return Card(
        routine=routine,
        templates=list(routine.text_templates.usable_by(run.person)),
        last_run=run,
        obstacle=limits.obstacle(routine, last_sent),
        budgets=limits.budgets([routine])[routine.pk],
        concerns=_concerns(run.person, [routine])[routine.pk],
    )


def cards(person: Person, *, slug: str | None = None) -> list[Card]:
    """One card a routine, in a constant number of queries; with `slug`, that routine's alone."""
    firing.settle_overdue_runs()
    routines = Routine.objects.fireable_by(person).current()
    if slug is not None:
        routines = routines.filter(slug=slug)
    of_routine = Run.objects.filter(routine=OuterRef("pk")).newest_first()
    newest = {
        pk: (last_run_pk, last_sent)
        for pk, last_run_pk, last_sent in routines.values_list(
            "pk",
            Subquery(of_routine.values("pk")[:1]),
            Subquery(of_routine.sent().values("created_at")[:1]),
        )
    }
    last_runs = Run.objects.select_related("person").in_bulk(
        [last_run_pk for last_run_pk, _ in newest.values() if last_run_pk]
    )
    usable = TextTemplate.objects.usable_by(person)
    templates = Prefetch("text_templates", queryset=usable)
    found = list(routines.select_related("account").prefetch_related(templates))
    budgets = limits.budgets(found)
    concerns = _concerns(person, found)
    made = []
    for routine in found:
        # None too for a routine that was registered between the two queries.
        last_run_pk, last_sent = newest.get(routine.pk, (None, None))
        card = Card(
            routine=routine,
            templates=list(routine.text_templates.all()),
            last_run=last_runs.get(last_run_pk),
            obstacle=limits.obstacle(routine, last_sent),
            budgets=budgets[routine.pk],
            concerns=concerns[routine.pk],
        )
        made.append(card)
    return made


def _concerns(
    person: Person, routines: Collection[Routine]
) -> dict[int, list[header_versions.Concern]]:
    if not person.has_perm(Permission.MANAGE_REGISTRY):
        return {routine.pk: [] for routine in routines}
    versions = header_versions.known()
    return {routine.pk: versions.concerns(routine) for routine in routines}
