"""Slowing down whoever guesses passwords, without locking out whose password is guessed.

A count for an account alone would let anybody lock out anybody. So wrong passwords count for the
account *at one address*, and for the address; the account's own count over all addresses is the
brake on many machines guessing together. None of these three touches a browser in which that
person has signed in before: it has a count of its own, known by a signed cookie.

The counts are in the database's cache table, so that all processes and hosts count together. A
right password takes its own count back.
"""

from dataclasses import dataclass, field

from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string, salted_hmac

from dashboard.serving.throttling import Limit, address_of
from routines.values import names

COOKIE = "known_browser"
COOKIE_AGE = 180 * 24 * 60 * 60
_PEOPLE_IN_ONE_BROWSER = 5

_FIVE_MINUTES = "Too many wrong passwords. Wait five minutes, then try once more."
_NOT_HELD_UP = (
    " A browser in which this person has signed in before is not held up by what happens elsewhere."
)
IN_KNOWN_BROWSER = Limit("browser", tries=5, seconds=5 * 60, held_up=_FIVE_MINUTES)
AT_ONE_ADDRESS = Limit(
    "account-at-address", tries=5, seconds=5 * 60, held_up=_FIVE_MINUTES + _NOT_HELD_UP
)
# Whatever the names: an office may stand behind one address.
BY_ONE_ADDRESS = Limit(
    "address",
    tries=30,
    seconds=10 * 60,
    held_up=(
        "Too many wrong passwords from your address, whatever the names. Wait ten minutes, then "
        "try once more." + _NOT_HELD_UP
    ),
)
FROM_ANYWHERE = Limit(
    "account",
    tries=50,
    seconds=60 * 60,
    held_up=(
        "Too many wrong passwords for this name, from several addresses. In a browser that is new "
        "to it, wait an hour, then try once more." + _NOT_HELD_UP
    ),
)
# Each makes a web session and a call to the provider, and anybody may press the button.
AT_THE_PROVIDER = Limit("provider", tries=60, seconds=60)


@dataclass
class Guess:
    """One password that was tried, and where it was counted."""

    places: list[str] = field(default_factory=list)

    def was_right(self) -> None:
        cache.delete_many(self.places)


class TooManyGuesses(Exception):
    """`str()` is a sentence that says how long to wait."""


def count_guess(request: HttpRequest, username: str) -> Guess:
    """Count one password for `username`. Raise TooManyGuesses, and then it counts nowhere."""
    guess = Guess()
    reached = []
    for limit, key in _limits(request, _account(username)):
        place = limit.take(key)
        if place is None:
            reached.append(limit)
        else:
            guess.places.append(place)
    if reached:
        guess.was_right()  # nobody has looked whether it is: only those that were looked at count
        raise TooManyGuesses(max(reached, key=lambda limit: limit.seconds).held_up)
    return guess


def remember_browser(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """The person has signed in here: their next wrong passwords in this browser count apart."""
    browser, people = _known_browser(request)
    mark = _mark(_account(username))
    people = [mark, *(other for other in people if other != mark)][:_PEOPLE_IN_ONE_BROWSER]
    response.set_cookie(
        COOKIE,
        signing.dumps([browser or get_random_string(16), people], salt=COOKIE),
        max_age=COOKIE_AGE,
        httponly=True,
        secure=request.is_secure(),
        samesite="Lax",
    )


def _account(username: str) -> str:
    """One name for all spellings that find the same person."""
    return names.key(username)


def _limits(request: HttpRequest, account: str) -> list[tuple[Limit, str]]:
    browser, people = _known_browser(request)
    if _mark(account) in people:
        return [(IN_KNOWN_BROWSER, f"{account} {browser}")]
    address = address_of(request)
    return [
        (AT_ONE_ADDRESS, f"{account} {address}"),
        (BY_ONE_ADDRESS, address),
        (FROM_ANYWHERE, account),
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
