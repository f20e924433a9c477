"""The history: every run this person may see, and each run's own page."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh, push_url

from dashboard import moments, waiting
from dashboard.forms.history import FilterForm
from dashboard.forms.made_from import seen_by
from dashboard.forms.settle import SettleForm
from dashboard.lookups import needs_a_role, run_or_404
from dashboard.requests import SignedInRequest
from dashboard.views.overtaken import asks_again, may_be_gone
from routines import keyset
from routines.history import pages, saved_views
from routines.history.run_filter import RunFilter
from routines.models import Run
from routines.people.roles import Permission
from routines.runs import overdue, queue, settling
from routines.values import references
from routines.values.reasons import Reason, State
from routines.values.snapshots import ChangedMeanwhile


@require_GET
@needs_a_role
def history(request: SignedInRequest) -> HttpResponse:
    form = FilterForm(request.GET, person=request.user)
    if not form.is_valid():
        return _history(request, form, status=422)
    named = _named_run(request, form.filter)
    if named is not None:
        return _go(request, reverse("history_run", args=[named]))
    try:
        page = pages.page(
            request.user,
            form.filter,
            before=request.GET.get("before", ""),
            after=request.GET.get("after", ""),
        )
    except keyset.BadCursor:
        raise Http404("This link to a page of the history is broken.") from None
    return _history(request, form, page=page)


@require_GET
@needs_a_role
def new_runs(request: SignedInRequest) -> HttpResponse:
    """What a first page asks for now and then: how many runs there are that it does not show."""
    form = FilterForm(request.GET, person=request.user)
    after, told = request.GET.get("after", ""), request.GET.get("told", "0")
    if not form.is_valid():
        raise Http404("This is no filter.")
    try:
        number = pages.new_since(request.user, form.filter, after)
    except keyset.BadCursor:
        raise Http404("This is no page of the history.") from None
    if str(number) == told:
        return HttpResponse(status=204)
    query = form.filter.query_string()
    context = {"number": number, "most": pages.MOST_NEW, "query": query}
    context["live"] = _live(query, after, told=number)
    return render(request, "history/news.html", context)


def _history(
    request: SignedInRequest,
    form: FilterForm,
    *,
    page: keyset.Page[pages.Line] | None = None,
    status: int = 200,
) -> HttpResponse:
    person, query = request.user, form.filter.query_string()
    sees_all = person.has_perm(Permission.VIEW_ALL_RUNS)
    context: dict[str, Any] = {
        "form": form,
        "page": page,
        "query": query,
        "sees_all": sees_all,
        "number": references.bare_number(form.filter.q),
        "word_instead": references.run_number(form.filter.q),
    }
    own_views = saved_views.of(person)
    context["views"] = saved_views.snapshot_of_all(person, own_views)
    if page is not None and page.newer is None:
        context["live"] = _live(query, pages.top(page))
    if request.htmx and request.htmx.target == "results":
        response = render(request, "history/results.html", context, status=status)
        # The address that is worth keeping: without the fields that say nothing.
        url = f"{reverse('history')}?{query}" if query else reverse("history")
        return push_url(response, url) if form.is_valid() else response
    context |= {"built_in": saved_views.built_in(person), "own_views": own_views}
    return render(request, "history/history.html", context, status=status)


def _named_run(request: SignedInRequest, run_filter: RunFilter) -> int | None:
    """The run that the search names and nothing else: its page is the answer."""
    if run_filter.reference is None or not run_filter.is_search_alone:
        return None
    visible = Run.objects.visible_to(request.user).filter(run_filter.reference.of_run)
    pks = list(visible.values_list("pk", flat=True)[:2])
    return pks[0] if len(pks) == 1 else None


def _go(request: SignedInRequest, url: str) -> HttpResponse:
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def _live(query: str, after: str, *, told: int = 0) -> str:
    more = urlencode({"after": after, "told": told})
    return f"{reverse('new_runs')}?{f'{query}&' if query else ''}{more}"


@require_GET
@needs_a_role
def run(request: SignedInRequest, pk: int) -> HttpResponse:
    overdue.settle()
    run = run_or_404(request.user, pk)
    # An odd answer may have named the session: then there is nothing to copy.
    named = {"session_url": run.session_link if run.is_unknown else ""}
    return _run_page(request, run, SettleForm(run=run, initial=named))


@require_GET
@needs_a_role
def result(request: SignedInRequest, pk: int) -> HttpResponse:
    """The result: what a page that shows an open run asks for until it is settled.

    `told`: what the page shows of it (waiting.mark).
    """
    overdue.settle()
    run = run_or_404(request.user, pk)
    waits = waiting.shown(run, request.user)
    mark = waiting.mark(run, waits)
    told = request.GET.get("told", mark)
    if run.is_open and request.htmx and told == mark:
        return HttpResponse(status=204)  # nothing new: the page stays, and nothing is read out
    on_its_own_page = _is_on_its_own_page(request, pk)
    if on_its_own_page and not (waits and told.startswith(f"{waiting.stage(run)}-")):
        return HttpResponseClientRefresh()  # the rest of that page has changed, too
    context = {"run": run, "waits": waits, "on_its_own_page": on_its_own_page}
    return render(request, "parts/result.html", context)


_TOO_LATE = {
    State.SENDING: "It is already on its way and cannot be cancelled.",
    State.ACCEPTED: "It was on its way just now, and waits once more. Cancel it again.",
}
_OVER = "It was over before it could be cancelled."


@require_POST
@needs_a_role
def cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    """End a run that waits; one that was claimed meanwhile goes on, and is shown."""
    run = run_or_404(request.user, pk)
    if not queue.may_cancel(run, request.user):
        raise PermissionDenied
    is_cancelled = queue.cancel(run, by=request.user)
    if not is_cancelled:
        run = run_or_404(request.user, pk)  # as it is by now
        is_cancelled = run.reason == Reason.CANCELLED
    sentence = "" if is_cancelled else _TOO_LATE.get(State(run.state), _OVER)
    if request.htmx and not _is_on_its_own_page(request, pk):
        return render(request, "parts/result.html", {"run": run, "not_cancelled": sentence})
    if sentence:
        messages.info(request, sentence)
    return HttpResponseClientRefresh() if request.htmx else redirect("history_run", pk=pk)


def _is_on_its_own_page(request: SignedInRequest, pk: int) -> bool:
    # The path alone: what a proxy says of host and port may differ from what the browser shows.
    path = urlsplit(request.htmx.current_url or "").path
    return path == reverse("history_run", args=[pk])


@require_POST
@needs_a_role
@may_be_gone
def settle_as_started(request: SignedInRequest, pk: int) -> HttpResponse:
    """The person found the session of an unknown run."""
    run = run_or_404(request.user, pk)
    form = SettleForm(request.POST, run=run)
    if form.is_valid():
        try:
            settling.settle_as_started(run, **form.cleaned_data, by=request.user)
        except settling.SessionUrlRefused as refused:
            form.add_error("session_url", str(refused))
        except ChangedMeanwhile as changed:
            form.tell(changed)
        except settling.NotOpen:
            _say_already_settled(request)
    if form.errors:
        return _run_page(request, run_or_404(request.user, pk), form, status=422)
    return redirect("history_run", pk=pk)


@require_POST
@needs_a_role
@asks_again("It did not start", back="history_run")
def settle_as_not_started(request: SignedInRequest, pk: int) -> HttpResponse:
    """The person looked at claude.ai/code, and there is no session."""
    run = run_or_404(request.user, pk)
    seen = seen_by(request.POST, settling.snapshot(run))
    try:
        settling.settle_as_not_started(run, by=request.user, seen=seen)
    except settling.NotOpen:
        _say_already_settled(request)
    return redirect("history_run", pk=pk)


def _say_already_settled(request: SignedInRequest) -> None:
    messages.info(request, "The endpoint has answered in the meantime: see below.")


def _run_page(
    request: SignedInRequest, run: Run, form: SettleForm, status: int = 200
) -> HttpResponse:
    may_run = not run.routine.is_archived and run.routine.is_fireable_by(request.user)
    context = {
        "run": run,
        "form": form,
        "may_run": may_run,
        "moments": moments.of(run),
        "attempts": moments.attempts(run),
    }
    return render(request, "history/run.html", context, status=status)
