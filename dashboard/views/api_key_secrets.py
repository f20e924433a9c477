"""The secrets of an API key: shown once, doubled while they are replaced, ended, revoked."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.forms.api_keys import RevokeForm
from dashboard.forms.made_from import seen_by
from dashboard.lookups import api_key_or_404, needs_a_role, secret_or_404
from dashboard.requests import SignedInRequest
from dashboard.serving.shown_once import ShownOnce
from dashboard.sign_in.reauthentication import (
    is_valid_and_confirmed,
    reauthenticate_to_open,
    reauthentication_required,
)
from dashboard.views.overtaken import asks_again, may_be_gone
from routines.callers import keys
from routines.models import ApiKey, Run
from routines.values.api_keys import Secret
from routines.values.reasons import State
from routines.values.snapshots import ChangedMeanwhile

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@require_POST
@needs_a_role
@reauthentication_required
@asks_again("Make a second secret", back="api_key")
def add(request: SignedInRequest, api_key: int) -> HttpResponse:
    stored = api_key_or_404(request.user, api_key)
    seen = seen_by(request.POST, keys.snapshot(stored))
    try:
        secret = keys.replace_secret(stored, by=request.user, seen=seen)
    except keys.Refused as refused:
        messages.error(request, str(refused))
        return redirect("api_key", api_key=api_key)
    return page_of_secret(request, stored, secret, is_first=False)


@require_POST
@needs_a_role
@reauthentication_required
@asks_again("End this secret", back="api_key", at=("api_key",))
def end(request: SignedInRequest, api_key: int, secret: int) -> HttpResponse:
    stored = api_key_or_404(request.user, api_key)
    ended = secret_or_404(stored, secret)
    seen = seen_by(request.POST, keys.snapshot(stored))
    try:
        keys.end_secret(stored, ended, by=request.user, seen=seen)
    except keys.Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"The secret that ends in {ended.last_four} no longer works.")
    return redirect("api_key", api_key=api_key)


@get_or_post
@needs_a_role
@reauthenticate_to_open
@may_be_gone
def revoke(request: SignedInRequest, api_key: int) -> HttpResponse:
    stored = api_key_or_404(request.user, api_key)
    waiting = Run.objects.filter(api_key=stored, state=State.ACCEPTED).count()
    posted = request.POST if request.method == "POST" else None
    form = RevokeForm(posted, api_key=stored, waiting=waiting)
    if is_valid_and_confirmed(request, form):
        try:
            cancelled = keys.revoke(stored, by=request.user, **form.cleaned_data)
        except keys.Refused as refused:
            form.add_error(None, str(refused))
        except ChangedMeanwhile as changed:
            form.tell(changed)
        else:
            messages.success(request, _revoked(stored, cancelled))
            return redirect("api_key", api_key=api_key)
    context = {"form": form, "api_key": stored, "is_mine": stored.person == request.user}
    return render(request, "api_keys/revoke.html", context, status=422 if form.is_bound else 200)


def _revoked(api_key: ApiKey, cancelled: int) -> str:
    said = f"“{api_key}” is revoked: its next call is turned away."
    if cancelled:
        said += f" {cancelled} waiting run{'' if cancelled == 1 else 's'} will not be sent."
    return said


def page_of_secret(
    request: SignedInRequest,
    api_key: ApiKey,
    secret: Secret,
    *,
    is_first: bool,
    template: str = "api_keys/secret.html",
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    """No redirect: the secret would have to be kept in between. It is in this answer alone."""
    text = secret.reveal()
    context = {
        "api_key": api_key,
        "secret": text,
        "is_first": is_first,
        "dashboard_url": settings.DASHBOARD_URL,
    } | (more or {})
    page = render_to_string(template, context, request)
    return ShownOnce(page, secret=text)
