from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils import timezone

from dashboard.views import errors

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
