from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from dashboard.serving import client_address
from dashboard.views import errors
from routines import audit
from routines.values import redaction, tokens

TIME_ZONE_COOKIE = "time_zone"  # set by static/page.js


METHODS = ["GET", "HEAD", "POST"]


class MethodsMiddleware:
    """No page has a use for another method, and a library's view may treat PUT like POST."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        return self.get_response(request)


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Every page is private unless its view says otherwise.

    A lost sign-in must not lose what was typed, so a POST is never answered with a redirect: an
    htmx call leaves the page as it is and shows a notice, a plain one shows the typed text.
    """

    def handle_no_permission(  # type: ignore[override]  # it need not be a redirect
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        if request.method == "POST":
            return errors.signed_out(request)
        response = super().handle_no_permission(request, view_func)
        if request.htmx:  # type: ignore[attr-defined]
            return errors.redirect_the_whole_page(request)
        return response


class InitialPasswordMiddleware:
    """A password that was made for somebody opens one page: the one to choose their own."""

    _OPEN = ("account_change_password", "account_logout")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], arguments: Any, keywords: Any
    ) -> HttpResponse | None:
        if not getattr(request.user, "password_is_initial", False):
            return None
        if request.resolver_match and request.resolver_match.url_name in self._OPEN:
            return None
        if request.htmx:  # type: ignore[attr-defined]
            return HttpResponseClientRedirect(reverse("account_change_password"))
        return redirect("account_change_password")


class NoTokenShownMiddleware:
    """The last line: whatever a view, a form or a package draws back, no page shows a token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if is_page and not response.streaming:
            page = response.content.decode(response.charset)
            if tokens.contains_token(page):
                response.content = redaction.redact_tokens(page).encode(response.charset)
                response.headers["Content-Length"] = str(len(response.content))
        return response


class ClientAddressMiddleware:
    """The audit trail says from where a change was asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with audit.asked_from(client_address.of(request)):
            return self.get_response(request)


class ReaderTimeZoneMiddleware:
    """Show times in the zone that the reader's browser told; UTC until it has."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone(request.COOKIES.get(TIME_ZONE_COOKIE, ""))):
            return self.get_response(request)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a cookie can hold anything
        return ZoneInfo("UTC")
