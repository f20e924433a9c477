"""What one person's board shows: the routines they may fire, each with what there is to know."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Subquery

from routines.board.finding import Entry, pinned_by
from routines.models import Person, Routine, Run, TextTemplate
from routines.models.routine import usable_by
from routines.people.roles import Permission
from routines.registry import header_versions
from routines.runs import limits, overdue, rules
from routines.values.reasons import Reason, State

# All that a closed card says of a routine and of its last run, and what its obstacles depend on.
_OF_A_ROUTINE = (
    *("name", "slug", "purpose", "account", "beta_version", "api_version"),
    *("enabled", "archived_at", "hourly_limit", "cool_down", "held_until"),
    *(
        "confirmation",
        "asks_why",
        "runs_seen_by_group",
        "token_encrypted",
        "token_removed_at",
        "token_rejected_since",
    ),
    *("account__label", "account__held_until", "account__hourly_limit"),
)
_OF_A_RUN = (
    *("routine", "created_at", "state", "reason", "outcome", "is_trial"),
    *("person__username", "person__first_name", "person__last_name", "api_key__name"),
)
_runs_of_it = Run.objects.filter(routine=OuterRef("pk")).newest_first()
# One look into an index for each routine, however many runs it has.
_NEWEST_RUN = Subquery(_runs_of_it.values("pk")[:1])
_UNKNOWN_RUN = Subquery(_runs_of_it.filter(state=State.UNKNOWN).values("pk")[:1])
_LAST_SENT = Subquery(_runs_of_it.sent().values("created_at")[:1])
# What does not depend on who asks is put together once.
_closed_routines = (
    Routine.objects.current()
    .order_by()
    .select_related("account")
    .only(*_OF_A_ROUTINE)
    .annotate(newest_run=_NEWEST_RUN, unknown_run=_UNKNOWN_RUN)
)
_templates_of_it = TextTemplate.objects.filter(routine=OuterRef("pk")).order_by()
_shown_runs = Run.objects.select_related("person", "api_key").only(*_OF_A_RUN)


@dataclass(frozen=True)
class Card:
    routine: Routine
    last_run: Run | None  # of anybody: that a colleague has just fired is worth knowing
    unknown_run: Run | None  # of anybody, however old: the newest that nobody has settled
    obstacle: limits.Obstacle | None
    budgets: limits.Budgets
    version_warnings: list[
        header_versions.VersionWarning
    ]  # for admins alone: nobody else can mend them
    tags: list[str]
    is_pinned: bool
    has_templates: bool
    templates: list[TextTemplate] = field(default_factory=list)  # of closed cards: not read

    @property
    def is_on_hold(self) -> bool:
        """A run may be asked for all the same: it can wait for the end."""
        return self.obstacle is not None and self.obstacle.reason == Reason.ON_HOLD

    @property
    def is_one_click(self) -> bool:
        """True if there is nothing to look at or to answer before it runs."""
        return not self.has_templates and not rules.asks_something(self.routine)


def cards(person: Person, *, slug: str | None = None) -> list[Card]:
    """Return all that `person` may fire, or the one called `slug`, with their text templates."""
    overdue.settle()
    routines = Routine.objects.fireable_by(person).current()
    if slug is not None:
        routines = routines.filter(slug=slug)
    templates = Prefetch("text_templates", queryset=TextTemplate.objects.usable_by(person))
    found = list(
        routines.annotate(
            is_pinned=pinned_by(person), newest_run=_NEWEST_RUN, unknown_run=_UNKNOWN_RUN
        )
        .select_related("account")
        .prefetch_related(templates, "tags")
    )
    known = _Known(person, found, limits.last_sent_of(found))
    return [
        known.card(
            routine,
            tags=[tag.name for tag in routine.tags.all()],
            is_pinned=routine.is_pinned,  # type: ignore[attr-defined]  # annotated
            has_templates=bool(routine.text_templates.all()),
            templates=list(routine.text_templates.all()),
        )
        for routine in found
    ]


def closed_cards(person: Person, entries: Collection[Entry]) -> dict[int, Card]:
    """Return the cards of `entries`, by the routine's primary key, without their text templates.

    An entry whose routine is gone meanwhile has none. A constant number of queries.
    """
    templates = _templates_of_it.filter(usable_by(person))
    routines = _closed_routines.filter(pk__in=[entry.pk for entry in entries]).annotate(
        has_templates=Exists(templates)
    )
    if any(entry.cool_down for entry in entries):
        routines = routines.annotate(last_sent=_LAST_SENT)
    found = {routine.pk: routine for routine in routines}
    last_sent = {pk: getattr(routine, "last_sent", None) for pk, routine in found.items()}
    known = _Known(person, found.values(), last_sent)
    return {
        entry.pk: known.card(
            routine,
            tags=entry.tags,
            is_pinned=entry.is_pinned,
            has_templates=routine.has_templates,  # type: ignore[attr-defined]  # annotated
        )
        for entry in entries
        if (routine := found.get(entry.pk)) is not None
    }


def card_after(run: Run, person: Person, templates: list[TextTemplate]) -> Card:
    """Return the card after a person's press, which may have left a hold or a cool-down behind.

    `templates`: those that the pressed form offered.
    """
    # As it was read for the press. Should somebody have disabled it meanwhile, or met a 429, the
    # next press is told.
    routine = run.routine
    if run.reason == Reason.LIMIT_REACHED:
        routine = Routine.objects.select_related("account").get(pk=routine.pk)
    # Both in one query, since the answer of the press waits for it: a row for each tag, or one
    # without.
    marks = list(
        Routine.objects.filter(pk=routine.pk)
        .annotate(is_pinned=pinned_by(person), unknown_run=_UNKNOWN_RUN)
        .order_by("tags__name")
        .values_list("is_pinned", "tags__name", "unknown_run")
    )
    runs = {run.pk: run}
    unknown = marks[0][2] if marks else None
    if unknown is not None and unknown not in runs:
        runs |= _shown_runs.in_bulk([unknown])
    routine.newest_run, routine.unknown_run = run.pk, unknown  # type: ignore[attr-defined]
    known = _Known(person, [routine], limits.last_sent_of([routine]), runs)
    return known.card(
        routine,
        tags=[tag for _, tag, _ in marks if tag],
        is_pinned=any(is_pinned for is_pinned, _, _ in marks),
        has_templates=bool(templates),
        templates=templates,
    )


def last_runs(person: Person, routines: Collection[int] | None) -> list[tuple[Routine, Run]]:
    """Return the last run, of anybody, of each routine on this person's board that has one.

    `routines`: the primary keys of those that are asked about; None for all.
    """
    found = Routine.objects.fireable_by(person).current()
    if routines is not None:
        found = found.filter(pk__in=routines)
    on_board = list(found.annotate(newest_run=_NEWEST_RUN).only("name", "slug"))
    runs = _runs(on_board)
    newest = [(routine, runs.get(routine.newest_run)) for routine in on_board]  # type: ignore[attr-defined]
    return [(routine, run) for routine, run in newest if run is not None]


class _Known:
    """What cards say beside what their routine does, read once for all of them."""

    def __init__(
        self,
        person: Person,
        routines: Collection[Routine],
        last_sent: Mapping[int, datetime | None],
        runs: Mapping[int, Run] | None = None,
    ) -> None:
        """`runs`: those that the annotations name, if they were read already."""
        self._runs = _runs(routines) if runs is None else runs
        self._last_sent = last_sent
        self._budgets = limits.budgets(routines)
        is_for_admin = person.has_perm(Permission.MANAGE_REGISTRY)
        self._versions = header_versions.known() if is_for_admin else None

    def card(self, routine: Routine, **more: Any) -> Card:
        last_run = self._runs.get(routine.newest_run)  # type: ignore[attr-defined]
        unknown_run = self._runs.get(routine.unknown_run)  # type: ignore[attr-defined]
        if last_run is not None and last_run.is_unknown:
            unknown_run = last_run  # it may have become so a moment ago
        return Card(
            routine=routine,
            last_run=last_run,
            unknown_run=unknown_run,
            obstacle=limits.obstacle(routine, self._last_sent.get(routine.pk)),
            budgets=self._budgets[routine.pk],
            version_warnings=list(self._versions.warnings(routine)) if self._versions else [],
            **more,
        )


def _runs(routines: Collection[Routine]) -> dict[int, Run]:
    """The newest run of each, and the newest unknown one; both are annotated."""
    named = [
        getattr(routine, name, None)
        for routine in routines
        for name in ("newest_run", "unknown_run")
    ]
    runs = _shown_runs.filter(pk__in={pk for pk in named if pk is not None})
    found = {run.pk: run for run in runs}
    if any(overdue.is_overdue(run) for run in found.values()):
        overdue.settle()
        found = {run.pk: run for run in runs.all()}
    return found
