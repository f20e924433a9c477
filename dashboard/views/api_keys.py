"""API keys: the list and the pages that admins keep, and everybody's own."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from dashboard.forms.api_keys import OwnKeyForm, TeamKeyForm
from dashboard.lookups import (
    api_key_or_404,
    may_fire,
    may_manage_registry,
    may_see_all_runs,
    needs_a_role,
    team_key_or_404,
)
from dashboard.requests import SignedInRequest
from dashboard.sign_in.reauthentication import is_valid_and_confirmed, reauthenticate_to_open
from dashboard.views.api_key_secrets import page_of_secret
from dashboard.views.overtaken import may_be_gone
from routines.callers import keys, overview, retries, scope, turned_away
from routines.models import ApiKey, Run
from routines.runs import caps
from routines.values.snapshots import ChangedMeanwhile

get_or_post = require_http_methods(["GET", "HEAD", "POST"])

_RUNS_SHOWN = 10


@require_GET
@may_manage_registry
def index(request: SignedInRequest) -> HttpResponse:
    rows = overview.every()
    context = {
        "team": [row for row in rows if not row.api_key.is_personal],
        "personal": [row for row in rows if row.api_key.is_personal],
    }
    return render(request, "api_keys/callers.html", context)


@require_GET
@may_see_all_runs
def calls_turned_away(request: SignedInRequest) -> HttpResponse:
    """Of every key: for whoever sees everybody's runs, since these calls have none."""
    context = {
        "lines": turned_away.by_day(),
        "days_shown": turned_away.SHOWN_DAYS,
        "most_shown": turned_away.MOST_SHOWN,
    }
    return render(request, "api_keys/calls_turned_away.html", context)


@require_GET
@may_fire
def own(request: SignedInRequest) -> HttpResponse:
    return render(request, "api_keys/own.html", {"rows": overview.theirs(request.user)})


@never_cache
@get_or_post
@may_manage_registry
@reauthenticate_to_open
def add(request: SignedInRequest) -> HttpResponse:
    form = TeamKeyForm(request.POST if request.method == "POST" else None)
    return _add(request, form, "api_keys/add.html")


@never_cache
@get_or_post
@may_fire
@reauthenticate_to_open
def add_own(request: SignedInRequest) -> HttpResponse:
    form = OwnKeyForm(request.POST if request.method == "POST" else None, person=request.user)
    return _add(request, form, "api_keys/add_own.html")


def _add(request: SignedInRequest, form: TeamKeyForm | OwnKeyForm, template: str) -> HttpResponse:
    if is_valid_and_confirmed(request, form):
        try:
            api_key, secret = keys.make(form.terms, person=form.person, by=request.user)
        except keys.Refused as refused:
            form.add_refusal(refused)
        else:
            return page_of_secret(request, api_key, secret, is_first=True)
    return render(request, template, {"form": form}, status=422 if form.is_bound else 200)


@require_GET
@needs_a_role
def api_key(request: SignedInRequest, api_key: int) -> HttpResponse:
    shown = api_key_or_404(request.user, api_key)
    is_mine = shown.person == request.user
    may_change = not shown.is_revoked and (is_mine or not shown.is_personal)
    secrets = list(shown.secrets.select_related("created_by"))
    live = [secret for secret in secrets if secret.is_live]
    context = {
        "api_key": shown,
        "is_mine": is_mine,
        "may_change": may_change,
        "may_have_another_secret": may_change and len(live) < keys.MOST_LIVE,
        "may_end_one": may_change and len(live) > 1,
        "secrets": secrets,
        "last_used": overview.newest_use(secrets),
        "used": caps.used([shown]).get(shown.pk, caps.Used()),
        "scope": scope.of(shown),
        "tags": shown.tags.all(),
        "turned_away": turned_away.recent(shown),
        "days_shown": turned_away.SHOWN_DAYS,
        "retries": None if shown.sends_idempotency_key else retries.of(shown),
        "runs": _newest_runs(shown),
    }
    return render(request, "api_keys/key.html", context)


@get_or_post
@may_manage_registry
@reauthenticate_to_open
@may_be_gone
def edit(request: SignedInRequest, api_key: int) -> HttpResponse:
    stored = team_key_or_404(api_key)
    form = TeamKeyForm(request.POST if request.method == "POST" else None, api_key=stored)
    if is_valid_and_confirmed(request, form):
        try:
            keys.edit(stored, form.terms, by=request.user, seen=form.cleaned_data["seen"])
        except keys.Refused as refused:
            form.add_refusal(refused)
        except ChangedMeanwhile as changed:
            form.tell(changed)
        else:
            messages.success(request, "The changes are saved. They hold from the next call on.")
            return redirect("api_key", api_key=api_key)
    context = {"form": form, "api_key": stored}
    return render(request, "api_keys/edit.html", context, status=422 if form.is_bound else 200)


def _newest_runs(api_key: ApiKey) -> Any:
    runs = Run.objects.filter(api_key=api_key).select_related("routine", "person", "api_key")
    return runs.newest_first()[:_RUNS_SHOWN]
