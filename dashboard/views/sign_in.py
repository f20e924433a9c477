"""What signing in needs beyond allauth's own pages."""

from allauth.account.views import password_change
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from dashboard.requests import SignedInRequest
from dashboard.sign_in import web_sessions


def change_password(request: SignedInRequest) -> HttpResponse:
    if not (settings.PASSWORD_SIGN_IN and request.user.has_usable_password()):
        return render(request, "account/no_password.html")
    response: HttpResponse = password_change(request)
    return response


@require_GET
def confirmed(request: SignedInRequest) -> HttpResponse:
    """Where confirming in a second tab ends: the form is in the first."""
    return render(request, "account/confirmed.html")


@require_GET
@never_cache
def list_sessions(request: SignedInRequest) -> HttpResponse:
    context = {"web_sessions": web_sessions.of(request)}
    return render(request, "account/web_sessions.html", context)


@require_POST
def end_session(request: SignedInRequest, pk: int) -> HttpResponse:
    if not web_sessions.end(request, pk):
        raise Http404("Not one of theirs, or ended already.")
    messages.success(request, "Signed out there.")
    return redirect("web_sessions")


@require_POST
def end_other_sessions(request: SignedInRequest) -> HttpResponse:
    web_sessions.end_others(request)
    messages.success(request, "Signed out everywhere but here.")
    return redirect("web_sessions")
