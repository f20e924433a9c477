"""Moving routines from one header version to another in one step, and back in one step.

Both are one transaction with an audit event a routine. The routines' rows are locked meanwhile,
always in the same order, so of two admins at once the second sees what the first has done.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from routines.audit import trace
from routines.models import (
    AuditEvent,
    Header,
    HeaderVersion,
    Person,
    Routine,
    VersionMove,
    VersionMoveStep,
)
from routines.registry.accepted_versions import judged, refusals_since
from routines.registry.header_versions import FIELDS, Known, pinned
from routines.runs import accepting


class MoveRefused(ValueError):
    """Nothing was moved; `str()` is a sentence for the admin."""


class NotTried(MoveRefused):
    """The endpoint has not accepted the version yet: it takes a word of the admin's more."""

    def __init__(self, number: int) -> None:
        routines = "1 routine" if number == 1 else f"{number} routines"
        super().__init__(f"Nothing was moved yet: {routines}, not tried.")
        self.number = number


@dataclass(frozen=True)
class MoveResult:
    """What a move, or going back, has changed."""

    move: VersionMove
    done: list[Routine]
    left: list[Routine]  # changed by somebody since: as they are now


@dataclass(frozen=True)
class Candidate:
    """A routine that could be moved."""

    routine: Routine
    value: str  # what it is pinned to
    is_proposed: bool
    may_be_tried: bool  # by the person who looks


def candidates(
    header: Header, target: str, versions: Known, *, person: Person, pinned_to: str | None = None
) -> list[Candidate]:
    """Current routines that are not at `target` yet, those on older versions proposed.

    With `pinned_to`, exactly the routines pinned to that version are proposed. None is before the
    endpoint has accepted the target.
    """
    found = []
    is_accepted = versions.is_accepted(header, target)
    fireable = set(Routine.objects.fireable_by(person).current().values_list("pk", flat=True))
    for routine in Routine.objects.current().select_related("account"):
        value = pinned(routine, header)
        if value == target:
            continue
        if pinned_to is not None:
            is_proposed = value == pinned_to
        else:
            is_proposed = not target or versions.is_older(header, value, than=target)
        may_be_tried = routine.pk in fireable
        found.append(Candidate(routine, value, is_accepted and is_proposed, may_be_tried))
    return found


def trial(header: Header, target: str) -> accepting.Trial:
    """For firing.fire: a real run with `target`, whatever the routine is pinned to."""
    if header == Header.BETA:
        return accepting.Trial(beta_version=target)
    return accepting.Trial(api_version=target)


@transaction.atomic
def move(
    header: Header,
    target: str,
    seen: Mapping[int, str],
    *,
    by: Person,
    agreed_untried: int | None = None,
) -> MoveResult:
    """Pin routines to `target`: those of `seen`, {primary key: the version that was shown}.

    A routine that is pinned to another version by now is left alone. `agreed_untried`: so many may
    be moved to a version that the endpoint has not accepted yet; None: any number, nobody is asked.
    Raise MoveRefused; NotTried if more are asked for, or fewer, than was agreed to.
    """
    _check_target(header, target)
    done, left = [], []
    for routine in _locked(Routine.objects.current().filter(pk__in=seen)):
        before = pinned(routine, header)
        if before != seen[routine.pk]:
            left.append(routine)
        elif before != target:
            done.append(routine)
    is_agreed = agreed_untried is None or agreed_untried == len(done)
    if done and not is_agreed and not judged().is_accepted(header, target):
        raise NotTried(len(done))
    moved = VersionMove(header=header, target=target, moved_by=by)
    steps = []
    for routine in done:
        before = pinned(routine, header)
        steps.append(VersionMoveStep(move=moved, routine=routine, before=before))
        _pin(routine, header, target, AuditEvent.Action.VERSION_MOVED, by)
    if done:
        moved.save()
        VersionMoveStep.objects.bulk_create(steps)
    elif not left:
        raise MoveRefused("Nothing was moved: choose at least one routine.")
    return MoveResult(moved, done, left)


@transaction.atomic
def go_back(move: VersionMove, *, by: Person) -> MoveResult:
    """Pin the routines of a move to what they were pinned to before it.

    Only those that are still where the move brought them. Raise MoveRefused.
    """
    move = VersionMove.objects.select_for_update(of=("self",)).get(pk=move.pk)
    if move.undone_at is not None:
        raise MoveRefused("This move was taken back already.")
    header = Header(move.header)
    before = dict(move.steps.values_list("routine_id", "before"))
    routines = list(_locked(Routine.objects.filter(pk__in=before)))
    moved_again = _moved_again(move)
    done, left = [], []
    for routine in routines:
        if pinned(routine, header) == move.target and routine.pk not in moved_again:
            _pin(routine, header, before[routine.pk], AuditEvent.Action.VERSION_MOVED_BACK, by)
            done.append(routine)
        else:
            left.append(routine)
    if not done:
        raise MoveRefused("Nothing was moved back: each of its routines was changed since.")
    move.undone_at = timezone.now()
    move.save(update_fields=["undone_at"])
    return MoveResult(move, done, left)


@dataclass(frozen=True)
class PastMove:
    move: VersionMove
    steps: list[VersionMoveStep]
    still_there: int  # how many routines going back would move
    refused: int = 0  # runs since, of its routines, for the version that it brought them to

    @property
    def can_go_back(self) -> bool:
        return self.move.undone_at is None and self.still_there > 0


def past_moves(most: int = 20) -> list[PastMove]:
    """The latest moves, newest first."""
    moves = VersionMove.objects.select_related("moved_by").prefetch_related("steps__routine")
    later: dict[str, set[int]] = {header: set() for header in Header}
    found = []
    latest = list(moves[:most])
    refused = refusals_since(latest)
    for move in latest:
        steps = sorted(move.steps.all(), key=lambda step: (step.routine.name, step.pk))
        still_there = [
            step.routine_id
            for step in steps
            if pinned(step.routine, Header(move.header)) == move.target
            and step.routine_id not in later[move.header]
        ]
        if move.undone_at is None:
            later[move.header].update(step.routine_id for step in steps)
        found.append(PastMove(move, steps, len(still_there), refused.get(move.pk, 0)))
    return found


def _check_target(header: Header, target: str) -> None:
    if not target and header == Header.BETA:
        return  # the header is not sent
    # Locked, so that it is not removed meanwhile.
    known = HeaderVersion.objects.select_for_update().filter(header=header, value=target)
    if not known:
        raise MoveRefused("This version is not known here. Add it first, then move routines to it.")


def _locked(routines: QuerySet[Routine]) -> QuerySet[Routine]:
    return routines.select_for_update(of=("self",), no_key=True).order_by("pk")


def _moved_again(move: VersionMove) -> set[int]:
    """Routines that a later move brought to the same version: that one would bring them back."""
    later = VersionMoveStep.objects.filter(
        move__header=move.header, move__pk__gt=move.pk, move__undone_at=None
    )
    return set(later.values_list("routine_id", flat=True))


def _pin(
    routine: Routine, header: Header, value: str, action: AuditEvent.Action, by: Person
) -> None:
    field = FIELDS[header]
    changes = {field: [pinned(routine, header), value]}
    setattr(routine, field, value)
    routine.save(update_fields=[field])
    trace(action, by=by, routine=routine, changes=changes)
