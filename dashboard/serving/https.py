"""Where the dashboard is opened with https: what becomes of a request that did not come so.

gunicorn speaks plain http to the proxy in front, which says in X-Forwarded-Proto how it was asked.
Where it forgets that, or is not believed, leading to https would lead to the same address for ever:
so that is said, on the page and in the log, with the setting's name.
"""

import logging
from collections.abc import Callable
from threading import Lock

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from dashboard.serving import client_address, door_addresses
from dashboard.serving.bounds import Refused

logger = logging.getLogger(__name__)

_LED_ALREADY = "led_to_https"  # a cookie, for as long as following a redirect can take
_LED_SECONDS = 20
_MOST_WARNINGS = 100
warned: set[str] = set()
_lock = Lock()


class HttpsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_static = request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/")
        if not settings.SECURE_SSL_REDIRECT or request.is_secure() or is_static:
            return self.get_response(request)
        said = request.headers.get("X-Forwarded-Proto", "").strip()
        led_already = _LED_ALREADY in request.COOKIES
        # A program that follows may drop what it has sent, and has sent its key in plain text.
        may_be_led = request.method in ("GET", "HEAD") and not door_addresses.is_door(request)
        if said == "http" and may_be_led and not led_already:
            response = HttpResponseRedirect(settings.DASHBOARD_URL + request.get_full_path())
            response.set_cookie(_LED_ALREADY, "1", max_age=_LED_SECONDS, httponly=True)
            return response
        problem = _problem(said, request.META.get("REMOTE_ADDR", ""))
        warn_once(problem)
        raise Refused(
            400,
            "This did not come over https",
            f"The dashboard is opened at {settings.DASHBOARD_URL}. If you did open that, whoever "
            f"keeps it has to set up the proxy in front. {problem}",
        )


def _problem(said: str, address: str) -> str:
    peer = address or "a Unix socket"
    if said == "http":
        return (
            f"The proxy at {peer} says X-Forwarded-Proto: http. It must say https for what came to "
            "it over https (FORWARDED_ALLOW_IPS names it, or it stands on this machine)."
        )
    if not said:
        return (
            f"A request from {peer} came without X-Forwarded-Proto. The proxy must send the header "
            "X-Forwarded-Proto: https, and its address must stand in FORWARDED_ALLOW_IPS."
        )
    if client_address.is_believed(address):
        return (
            f"The proxy at {peer} must send X-Forwarded-Proto with https as its whole value, and "
            "its address must stand in FORWARDED_ALLOW_IPS."
        )
    return (
        f"X-Forwarded-Proto was sent by {peer}, which is not in FORWARDED_ALLOW_IPS, so it is not "
        "believed. If it is your proxy, name it there."
    )


def warn_once(sentence: str) -> None:
    """In the log of this process, once: anybody can cause it, at any rate."""
    with _lock:
        if sentence in warned or len(warned) >= _MOST_WARNINGS:
            return
        warned.add(sentence)
    logger.warning("%s", sentence)
