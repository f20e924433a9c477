"""The history: every run this person may see, and each run's own page."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from dashboard.access import run_or_404
from dashboard.forms.settle import SettleForm
from dashboard.requests import SignedInRequest
from routines import firing, keyset, settling
from routines import history as histories
from routines.models import Routine, Run
from routines.roles import Permission


@require_GET
def history(request: SignedInRequest) -> HttpResponse:
    try:
        page = histories.page(
            request.user,
            before=request.GET.get("before", ""),
            after=request.GET.get("after", ""),
        )
    except keyset.BadCursor:
        raise Http404("This link to a page of the history is broken.") from None
    sees_all = request.user.has_perm(Permission.VIEW_ALL_RUNS)
    may_do_something = sees_all or request.user.has_perm(Permission.FIRE)
    context = {"page": page, "sees_all": sees_all, "may_do_something": may_do_something}
    return render(request, "history/history.html", context)


@require_GET
def run(request: SignedInRequest, pk: int) -> HttpResponse:
    firing.settle_overdue_runs()
    return _run_page(request, run_or_404(request.user, pk), SettleForm())


@require_GET
def result(request: SignedInRequest, pk: int) -> HttpResponse:
    """The result: what a page that shows a run being sent asks for until it is settled."""
    firing.settle_overdue_runs()
    run = run_or_404(request.user, pk)
    if run.is_sending and request.htmx:
        return HttpResponse(status=204)  # nothing new: the page stays, and nothing is read out
    if request.htmx.current_url_abs_path == reverse("history_run", args=[pk]):
        return HttpResponseClientRefresh()  # the rest of that page has changed, too
    return render(request, "parts/result.html", {"run": run})


@require_POST
def settle_as_started(request: SignedInRequest, pk: int) -> HttpResponse:
    """The person found the session of an unknown run."""
    run = run_or_404(request.user, pk)
    form = SettleForm(request.POST)
    if form.is_valid():
        try:
            settling.settle_as_started(run, form.cleaned_data["session_url"], by=request.user)
        except settling.SessionUrlRefused as refused:
            form.add_error("session_url", str(refused))
        except settling.NotOpen:
            _say_already_settled(request)
    if form.errors:
        return _run_page(request, run_or_404(request.user, pk), form, status=422)
    return redirect("history_run", pk=pk)


@require_POST
def settle_as_not_started(request: SignedInRequest, pk: int) -> HttpResponse:
    """The person looked at claude.ai/code, and there is no session."""
    try:
        settling.settle_as_not_started(run_or_404(request.user, pk), by=request.user)
    except settling.NotOpen:
        _say_already_settled(request)
    return redirect("history_run", pk=pk)


def _say_already_settled(request: SignedInRequest) -> None:
    messages.info(request, "The endpoint has answered in the meantime: see below.")


def _run_page(
    request: SignedInRequest, run: Run, form: SettleForm, status: int = 200
) -> HttpResponse:
    may_run = Routine.objects.fireable_by(request.user).current().filter(pk=run.routine_id)
    context = {"run": run, "form": form, "may_run": may_run.exists()}
    return render(request, "history/run.html", context, status=status)
