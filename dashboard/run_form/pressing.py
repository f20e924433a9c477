"""What pressing the button of a filled-in form leads to, the same on every page that fires."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render

from dashboard.requests import SignedInRequest
from dashboard.run_form.press import PressForm
from routines.models import Routine, Run
from routines.runs import accepting, firing
from routines.runs.accepting import Trial

_NOT_RECORDED = "The database cannot be written at the moment. Nothing was sent."
_NOBODY_KNOWS = (
    "The database went away just now. Nothing was sent yet, but the run may have been recorded, "
    "and then it is sent later. Press again in a moment: this form makes one run at most."
)


@dataclass(frozen=True)
class Refused:
    """Nothing was sent by this press: the form is to be shown again, with what it says now."""

    status: int
    run: Run | None = None  # what an earlier press of this form sent, to be shown beside it


def press(form: PressForm, *, trial: Trial | None = None) -> firing.Press | Refused:
    """Fire what `form`, bound to a POST, asks for: once, however often it is pressed.

    A refused form keeps its key wherever the key is still good: the person has one intent, and
    an earlier press may have made a run whose answer got lost. Raise rules.NotAllowed.
    """
    if not form.is_valid():
        form.renew_refused_key()
        return Refused(422)
    try:
        pressed = firing.fire(
            key=form.cleaned_data["key"],
            routine=form.routine,
            person=form.person,
            text=form.cleaned_data["text"],
            **form.source,
            **form.answers,
            aware_of=form.cleaned_data["aware_of"],
            trial=trial,
            waits_out=form.is_to_wait_out,
        )
    except accepting.AnswersMissing as missing:
        form.add_missing_answers(missing.problems)  # the rules have changed since it was read
        return Refused(422)
    except accepting.UnseenRuns:
        return Refused(422)  # the page shows them: it asks for them itself
    except accepting.RunNotRecorded as failed:
        form.add_error(None, _NOBODY_KNOWS if failed.maybe else _NOT_RECORDED)
        return Refused(503)
    if pressed.repeated and not _is_what_was_asked_for(pressed.run, form, trial):
        form.add_error(
            None, "This form has made a run already, shown below. Nothing more was sent."
        )
        if pressed.run.text != form.cleaned_data["text"]:
            form.add_error(
                "text", "This changed text was not sent. Press the button to make a new run."
            )
        form.renew_key()
        return Refused(422, pressed.run)
    return pressed


def not_recorded(request: SignedInRequest, routine: Routine, run: Run) -> HttpResponse:
    """The answer to a press whose result the database did not take.

    The database may be gone altogether, and this is all that the person gets of a session that
    was made: it is drawn without a query.
    """
    context = {"routine": routine, "run": run, "recorded": False}
    template = "not_recorded_card.html" if request.htmx else "not_recorded.html"
    return render(request, f"board/{template}", context)


def _is_what_was_asked_for(run: Run, form: PressForm, trial: Trial | None) -> bool:
    """True if an earlier press of the form asked for the same run."""
    if run.text != form.cleaned_data["text"] or run.is_trial != (trial is not None):
        return False
    return trial is None or (
        trial.beta_version in (None, run.beta_version)
        and trial.api_version in (None, run.api_version)
    )
