"""Who may run a routine, and what they are asked first.

Who: `Routine.objects.fireable_by` and `fireable_with` decide, for lists as for a press. What they
are asked: `missing_answers` says what is missing; firing asks it under its lock, forms ask it
before.
"""

from typing import TypedDict, Unpack

from django.core.exceptions import PermissionDenied

from routines.models import Routine, Run
from routines.models.routine import RoutineQuerySet
from routines.values import texts, wording

Confirmation = Routine.Confirmation
LONGEST_REASON: int = Run._meta.get_field("why").max_length or 0


class Answers(TypedDict):
    """What the person said to what the routine asks first.

    `confirmation`: what was typed, where the name is asked for; else anything for a tick.
    """

    confirmation: str
    why: str


class NotAllowed(PermissionDenied):
    """This person may not run this routine; `str()` is a sentence for them."""

    def __init__(self, routine: Routine) -> None:
        groups = list(routine.open_to.order_by("name").values_list("name", flat=True))
        if groups:
            noun = "group" if len(groups) == 1 else "groups"
            who = f"the {noun} {wording.listed(groups)}"
            sentence = f"“{routine}” is open to {who} only. Ask an admin if you need to run it."
        elif not routine.open_to_everybody:
            sentence = (
                f"“{routine}” is open to nobody at the moment: the groups that it was open to are "
                "gone. Ask an admin if you need to run it."
            )
        else:
            sentence = "Your role does not allow running routines. Ask an admin if you need to."
        super().__init__(sentence)


def fireable(run: Run) -> RoutineQuerySet:
    """The run's routine, if its caller may fire it now; else nothing."""
    routines = Routine.objects.filter(pk=run.routine_id).order_by()
    if run.api_key is not None:
        return routines.fireable_with(run.api_key)
    return routines.fireable_by(run.person) if run.person else routines.none()


def is_asked(run: Run) -> bool:
    """Whether the routine's questions are asked of the run's caller: behind it is a person.

    An admin who gives a routine to a key of its own has answered them for it.
    """
    return run.person is not None


def asks_something(routine: Routine) -> bool:
    """True if a press alone is not enough."""
    return routine.asks_why or routine.confirmation != Confirmation.OFF


def missing_answers(
    routine: Routine, *, is_asked: bool = True, **answers: Unpack[Answers]
) -> dict[str, str]:
    """A sentence for each question of the routine that has no answer yet, by its name.

    Unless the caller `is_asked`, only what was answered is looked at.
    """
    confirmation, why = answers["confirmation"], answers["why"]
    if not is_asked:
        problem = _problem_with_reason(why) if why.strip() else ""
        return {"why": problem} if problem else {}
    problems = {}
    if routine.confirmation == Confirmation.CONFIRM and not confirmation:
        problems["confirmation"] = (
            "Set this tick first: the routine asks for it before every run. Nothing was sent."
        )
    if routine.confirmation == Confirmation.TYPE_NAME and _read(confirmation) != _read(
        routine.name
    ):
        problems["confirmation"] = (
            f"Type the name of the routine first, which is {routine.name}. Nothing was sent."
        )
    problem = _problem_with_reason(why) if why.strip() or routine.asks_why else ""
    return problems | ({"why": problem} if problem else {})


def _problem_with_reason(why: str) -> str:
    if not why.strip():
        return "Say why in a sentence: this routine keeps it with each run. Nothing was sent."
    if len(why) > LONGEST_REASON:
        return (
            f"This is {len(why):,} characters long, of at most {LONGEST_REASON}. Shorten it. "
            "Nothing was sent."
        )
    try:
        texts.check(why)
    except texts.TextRefused as refused:
        return str(refused)
    return ""


def _read(name: str) -> str:
    """As a person reads it: a phone's capital letter or a space too many is no other name."""
    return " ".join(name.split()).casefold()
