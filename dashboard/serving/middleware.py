"""Small rules for every request. Where each stands, and why: middleware_list.py."""

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone

from dashboard.serving import bounds, client_address, door_addresses
from dashboard.serving.shown_once import ShownOnce
from routines import audit, patience
from routines.values import api_keys, redaction, tokens

TIME_ZONE_COOKIE = "time_zone"  # set by static/page.js
METHODS = ["GET", "HEAD", "POST"]


_READ_BY_SOMEBODY = ("text/html", "application/json", "application/problem+json")


class NoTokenShownMiddleware:
    """The last line: whatever a view, a form or a package draws back, no answer shows a token.

    Nor an API key of ours, but for the one answer that shows a new one to who has made it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        _clean_headers(response)
        is_read = response.headers.get("Content-Type", "").startswith(_READ_BY_SOMEBODY)
        if is_read and not response.streaming:
            page = response.content.decode(response.charset)
            if tokens.contains_whole_token(page) or api_keys.contains_key(page):
                shown = response.secret if isinstance(response, ShownOnce) else ""
                response.content = _redacted(page, shown).encode(response.charset)
                response.headers["Content-Length"] = str(len(response.content))
        return response


def _redacted(page: str, shown: str) -> str:
    """All but the secret that is `shown`, if any."""
    parts = page.split(shown) if shown else [page]
    return shown.join(map(redaction.redact_tokens, parts))


def _clean_headers(response: HttpResponse) -> None:
    """An address that somebody typed may be led on to, pushed, or come back in any other way."""
    for name, value in list(response.headers.items()):
        if bounds.secret_stands_in(value):
            if name in ("Location", "HX-Redirect"):
                response.headers[name] = "/"
            else:
                del response.headers[name]


class RequestContextMiddleware:
    """What holds for all that this request sets going, without being passed on by hand.

    Times are shown in the zone that the reader's browser has named, in UTC until it has. The audit
    trail says from which address a change was asked for. Nobody waits long for a locked database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        client_address.warn_of_proxy(request)
        zone = _zone(request.COOKIES.get(TIME_ZONE_COOKIE, ""))
        from_address = audit.from_address(client_address.of(request))
        with timezone.override(zone), from_address, patience.at_most(patience.PAGE):
            return self.get_response(request)


class MethodsMiddleware:
    """No page has a use for another method, and a library's view may treat PUT like POST."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_door = door_addresses.is_door(request)  # doors answer other methods themselves
        if request.method not in METHODS and not is_door:
            return HttpResponseNotAllowed(METHODS)
        return self.get_response(request)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a cookie can hold anything
        return ZoneInfo("UTC")
