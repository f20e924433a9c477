"""Headers of every answer, error pages and static files included.

The Content-Security-Policy is django-csp's (settings.py); this middleware stands outside of all
others, so that an answer which one of those gives early or in distress has the rest as well.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

P = ParamSpec("P")

# What no page here uses is switched off, as far as every browser knows the word: a strange one is
# an error in its console. Left on for ourselves: copying a link, and passkeys.
_SWITCHED_OFF = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
_OURS = ("clipboard-write", "publickey-credentials-create", "publickey-credentials-get")

# What tells our answers from those of whatever stands between us and a browser, which draws no
# others into a page: static/answers.js.
MARK = "X-Routines"

HEADERS = {
    MARK: "1",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Permissions-Policy": ", ".join(
        [f"{feature}=()" for feature in _SWITCHED_OFF] + [f"{feature}=(self)" for feature in _OURS]
    ),
    # Pages hold runs, texts and names. Static files say themselves how long they keep.
    "Cache-Control": "no-store",
}


class HeadersMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


def bfcache_allowed(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Let the browser keep the page for Back: for pages with a one-time key.

    Back must bring the key that was used. With "no-store" the browser would fetch the page anew,
    and pressing again would be a new run.
    """

    @wraps(view)
    def wrapper(*arguments: P.args, **named: P.kwargs) -> HttpResponse:
        response = view(*arguments, **named)
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    return wrapper
