"""The outcome of a run: one click, then a note and a link, changed or undone at any time."""

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from dashboard.forms.outcome import OutcomeForm, OutcomeNoteForm, TakeBackForm
from dashboard.lookups import needs_a_role, run_or_404
from dashboard.requests import SignedInRequest
from routines.models import Outcome, Run
from routines.runs import outcomes
from routines.values.snapshots import ChangedMeanwhile


@require_POST
@needs_a_role
def mark(request: SignedInRequest, pk: int) -> HttpResponse:
    run = run_or_404(request.user, pk)
    form = OutcomeForm(request.POST, made_from=outcomes.snapshot(run))
    if form.is_valid():
        outcome, seen = Outcome(form.cleaned_data["outcome"]), form.cleaned_data["seen"]
        try:
            run = outcomes.mark(run, outcome, by=request.user, seen=seen)
        except outcomes.CannotBeMarked:
            raise Http404("No session of this run is known, so nothing came of it.") from None
        except ChangedMeanwhile as changed:
            form.tell(changed)
    if form.errors:
        return _refused(request, run, form)
    return _marked(request, run, f"Marked {run.get_outcome_display()}.")


@require_POST
@needs_a_role
def note(request: SignedInRequest, pk: int) -> HttpResponse:
    run = run_or_404(request.user, pk)
    form = OutcomeNoteForm(request.POST, made_from=outcomes.snapshot(run))
    if form.is_valid():
        try:
            run = outcomes.describe(run, **form.cleaned_data, by=request.user)
        except outcomes.LinkRefused as refused:
            form.add_error("link", str(refused))
        except outcomes.CannotBeMarked:
            form.add_error(None, "Say first whether it was useful.")
        except ChangedMeanwhile as changed:
            form.tell(changed)
    if form.errors:
        return _refused(request, run, form)
    return _marked(request, run, "The note is saved.")


@require_POST
@needs_a_role
def take_back(request: SignedInRequest, pk: int) -> HttpResponse:
    run = run_or_404(request.user, pk)
    form = TakeBackForm(request.POST, made_from=outcomes.snapshot(run))
    if form.is_valid():
        try:
            run = outcomes.take_back(run, by=request.user, seen=form.cleaned_data["seen"])
        except ChangedMeanwhile as changed:
            form.tell(changed)
    if form.errors:
        return _refused(request, run, form)
    return _marked(request, run, "The outcome is taken back.")


def _marked(request: SignedInRequest, run: Run, sentence: str) -> HttpResponse:
    if not request.htmx:
        return redirect(f"{reverse('history_run', args=[run.pk])}#outcome-{run.pk}")
    response = render(request, "outcomes/mark.html", {"run": run})
    return trigger_client_event(response, "announce", {"sentence": sentence}, after="settle")


def _refused(request: SignedInRequest, run: Run, form: forms.Form) -> HttpResponse:
    run = run_or_404(request.user, run.pk)  # as it is now, for whoever was not the first
    template = "outcomes/mark.html" if request.htmx else "outcomes/mark_page.html"
    return render(request, template, {"run": run, "outcome_form": form}, status=422)
