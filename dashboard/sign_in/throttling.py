"""Slowing down who guesses passwords, without locking out whose password is guessed.

A count for an account alone would let anybody lock out anybody. So wrong passwords count for the
account *at one address*, and for the address; the account's own count over all addresses is the
brake on many machines guessing together. None of these three touches a browser in which that
person has signed in before: it has a count of its own, known by a signed cookie.

The counts are in the database's cache table, so that all processes and hosts count together. A
right password takes its own count back.
"""

from allauth.core.internal import ratelimit
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string, salted_hmac

from dashboard.serving import client_address

IN_KNOWN_BROWSER = "5/5m/key"
AT_ONE_ADDRESS = "5/5m/key"
BY_ONE_ADDRESS = "30/10m/key"  # whoever the names: an office may stand behind one address
FROM_ANYWHERE = "50/1h/key"

COOKIE = "known_browser"
COOKIE_AGE = 180 * 24 * 60 * 60
_PEOPLE_IN_ONE_BROWSER = 5


def count(request: HttpRequest, username: str) -> ratelimit.RateLimitUsage | None:
    """Count one guess; None if there were too many. Who was right rolls it back."""
    whole = ratelimit.RateLimitUsage(usage=[])
    for action, rate, key in _counts(request, username.strip().casefold()):
        used = ratelimit.consume(
            request, app="dashboard", action=action, config={action: rate}, key=key
        )
        if used is None:
            return None
        whole.usage += used.usage
    return whole


def remember_browser(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """The person has signed in here: their next wrong passwords in this browser count apart."""
    browser, people = _known_browser(request)
    mark = _mark(username.casefold())
    people = [mark, *(other for other in people if other != mark)][:_PEOPLE_IN_ONE_BROWSER]
    response.set_cookie(
        COOKIE,
        signing.dumps([browser or get_random_string(16), people], salt=COOKIE),
        max_age=COOKIE_AGE,
        httponly=True,
        secure=request.is_secure(),
        samesite="Lax",
    )


def _counts(request: HttpRequest, account: str) -> list[tuple[str, str, str]]:
    browser, people = _known_browser(request)
    if _mark(account) in people:
        return [("browser", IN_KNOWN_BROWSER, f"{account} {browser}")]
    address = ratelimit.truncate_ip(client_address.of(request) or "")
    return [
        ("account-at-address", AT_ONE_ADDRESS, f"{account} {address}"),
        ("address", BY_ONE_ADDRESS, address),
        ("account", FROM_ANYWHERE, account),
    ]


def _known_browser(request: HttpRequest) -> tuple[str, list[str]]:
    try:
        browser, people = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=COOKIE_AGE
        )
    except (signing.BadSignature, ValueError):
        return "", []
    return browser, people


def _mark(account: str) -> str:
    """Who it is, to us alone: a cookie is no place for names."""
    return salted_hmac(COOKIE, account, algorithm="sha256").hexdigest()[:16]
