"""Who signed in, who tried, who was held up, who signed out: a line in the log and an entry of the
audit trail each.

Lines are logged for all of it. Entries of the trail are bounded, or whoever can reach the sign-in
page could fill the database: so many an hour for each person who signs in, for each address that
fails, and for all failures together. The last one that fits says that more are left out.

People type passwords into the box for the name. So a tried name is recorded if it is somebody's
here; else it is "an unknown name", and what was typed stands nowhere.
"""

import logging
from datetime import timedelta
from enum import StrEnum
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.utils import timezone

from dashboard.serving import client_address, throttling
from dashboard.serving.throttling import Limit
from routines import audit
from routines.models import AuditEvent, Chain, Person

logger = logging.getLogger(__name__)

Action = AuditEvent.Action

UNKNOWN_NAME = "an unknown name"
NOBODY = "nobody signed in"
ENTRIES_AN_HOUR = 60  # of one person, and of failures from one address
FAILURES_AN_HOUR = 600  # from all addresses
_HOUR = 60 * 60
_ENTRIES = Limit("sign-in-entries", tries=ENTRIES_AN_HOUR, seconds=_HOUR)
_SAID_LEFT_OUT = Limit("sign-in-entries-left-out", tries=1, seconds=_HOUR)
_LONGEST_NAME = 150


class Means(StrEnum):
    PASSWORD = "password"  # noqa: S105
    PROVIDER = "provider"
    HEADER = "header"
    PASSKEY = "passkey"
    APP_CODE = "app code"
    RECOVERY_CODE = "recovery code"


_OF_AUTHENTICATOR = {
    Authenticator.Type.TOTP: Means.APP_CODE,
    Authenticator.Type.WEBAUTHN: Means.PASSKEY,
    Authenticator.Type.RECOVERY_CODES: Means.RECOVERY_CODE,
}


def means_of(kind: str) -> Means:
    """Of an authenticator."""
    return _OF_AUTHENTICATOR[Authenticator.Type(kind)]


def signed_in(request: HttpRequest, person: Person, *means: Means) -> None:
    _succeeded(request, Action.SIGNED_IN, person, means)


def signed_in_with_password(request: HttpRequest, person: Person) -> None:
    """And with what else allauth has asked for."""
    records = get_authentication_records(request, person)
    factors = [means_of(one["type"]) for one in records if one.get("method") == "mfa"]
    signed_in(request, person, Means.PASSWORD, *factors[-1:])


def confirmed(request: HttpRequest, person: Person, means: Means) -> None:
    _succeeded(request, Action.CONFIRMED, person, [means])


def signed_out(request: HttpRequest, person: Person, why: str) -> None:
    _succeeded(request, Action.SIGNED_OUT, person, [], why=why)


def failed(
    request: HttpRequest,
    tried: str | Person | None,
    means: Means,
    *,
    why: str,
    action: AuditEvent.Action = Action.SIGN_IN_FAILED,
) -> None:
    """`tried`: a name as typed, the person whose name it is known to be, or None: no name."""
    name = _shown(tried)
    _log(request, logging.WARNING, action, name, [means], why)
    key = f"address {throttling.address_of(request)}"
    if _failures_of_the_last_hour() >= FAILURES_AN_HOUR:
        _say_left_out("all addresses together")
    elif _has_room(key, "this address"):
        _trace(action, None, name, [means], why)


def throttled(request: HttpRequest, tried: str | Person | None, means: Means) -> None:
    why = "too many wrong ones"
    failed(request, tried, means, why=why, action=Action.SIGN_IN_THROTTLED)


def _succeeded(
    request: HttpRequest,
    action: AuditEvent.Action,
    person: Person,
    means: Any,
    why: str = "",
) -> None:
    _log(request, logging.INFO, action, person.get_username(), means, why)
    if _has_room(f"person {person.pk}", f"{person.get_username()}"):
        _trace(action, person, person.get_username(), means, why)


def _shown(tried: str | Person | None) -> str:
    if isinstance(tried, Person):
        return tried.get_username()
    if tried is None:
        return ""
    name = tried.strip()
    if not name or len(name) > _LONGEST_NAME or "\x00" in name:
        return UNKNOWN_NAME
    known = Person.objects.named(name)
    return known.get_username() if known else UNKNOWN_NAME


def _log(
    request: HttpRequest, level: int, action: AuditEvent.Action, name: str, means: Any, why: str
) -> None:
    facts = {
        "person": name,
        "address": client_address.of(request) or "-",
        "means": " and ".join(means),
        "outcome": action.value,
        "why": why,
    }
    known = {fact: value for fact, value in facts.items() if value}
    logger.log(level, "sign-in", extra={"facts": known})


def _trace(action: AuditEvent.Action, by: Person | None, name: str, means: Any, why: str) -> None:
    changes: dict[str, list[Any]] = {}
    if means:
        changes["means"] = [None, " and ".join(means)]
    if why:
        changes["why"] = [None, why]
    with audit.done_by(NOBODY):
        audit.trace(action, by=by, subject=name, changes=changes)


def _has_room(key: str, said: str) -> bool:
    place = _ENTRIES.take(key)
    if place is None:
        return False
    if place.endswith(f":{ENTRIES_AN_HOUR - 1}"):
        _trace_left_out(said)
        return False
    return True


def _say_left_out(said: str) -> None:
    if _SAID_LEFT_OUT.take(said) is not None:
        _trace_left_out(said)


def _trace_left_out(said: str) -> None:
    why = f"too many within an hour, of {said}: the log has them all"
    _trace(Action.SIGN_INS_LEFT_OUT, None, "", [], why)


def _failures_of_the_last_hour() -> int:
    failures = AuditEvent.objects.filter(
        chain=Chain.SIGN_INS, person=None, at__gte=timezone.now() - timedelta(hours=1)
    )
    return failures.order_by()[:FAILURES_AN_HOUR].count()
