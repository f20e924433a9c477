"""How long a sign-in lasts: an idle and an absolute limit, whatever the cookie says.

Called web sessions here: a session, alone, is what claude.ai makes of a run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import time

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, logout
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from dashboard.serving import client_address, request_log
from dashboard.serving.live import is_look
from dashboard.sign_in import journal
from routines import patience
from routines.models import Person

# In the web session.
_BEGAN = "began_at"
_SEEN = "seen_at"
_RECORDED_EVERY = 60  # seconds; a write at every request would be one for each poll of every page


def begin(request: HttpRequest) -> None:
    request.session[_BEGAN] = request.session[_SEEN] = int(time())


class SessionLimitsMiddleware:
    """End what is too old. What was typed meanwhile comes back, as for anybody signed out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            request_log.name_person(request, request.user.get_username())
            if _is_over(request):
                journal.signed_out(request, request.user, "signed in for too long, or idle")
                logout(request)
            elif not is_look(request):
                _record_activity(request)
        return self.get_response(request)


def _is_over(request: HttpRequest) -> bool:
    now = time()
    session = request.session
    return bool(
        now - session.get(_BEGAN, 0) > settings.SESSION_MAX_HOURS * 3600
        or now - session.get(_SEEN, 0) > settings.SESSION_IDLE_MINUTES * 60
    )


def _record_activity(request: HttpRequest) -> None:
    if time() - request.session.get(_SEEN, 0) < _RECORDED_EVERY:
        return
    with patience.at_most(patience.NOTE):
        try:
            _note_activity(request)
        except OperationalError:  # locked: the next request notes it
            request.session.modified = False


def _note_activity(request: HttpRequest) -> None:
    session = request.session
    session[_SEEN] = int(time())
    try:
        # Now, and not with the answer: one that has cost a run must reach its person, whatever
        # has become of this web session or of the database meanwhile.
        session.save()
    except UpdateError:
        if not session.exists(session.session_key or ""):  # ended elsewhere, a moment ago
            logout(request)
            return
    session.modified = False
    UserSession.objects.filter(session_key=request.session.session_key).update(
        last_seen_at=timezone.now(),
        ip=client_address.of(request) or "0.0.0.0",  # noqa: S104  # unknown
    )


# --- The page with one's own ---


@dataclass(frozen=True)
class WebSession:
    pk: int
    browser: str
    address: str
    began: datetime
    seen: datetime
    is_this: bool


def of(request: HttpRequest) -> list[WebSession]:
    """Where this person is signed in, the latest activity first."""
    known = UserSession.objects.filter(user_id=request.user.pk).order_by("-last_seen_at")
    alive = _alive(request, [one.session_key for one in known])
    return [
        WebSession(
            pk=one.pk,
            browser=browser_name(one.user_agent),
            address=one.ip,
            began=one.created_at,
            seen=one.last_seen_at,
            is_this=one.session_key == request.session.session_key,
        )
        for one in known
        if one.session_key in alive
    ]


def end(request: HttpRequest, pk: int) -> bool:
    """End one of this person's web sessions; False if there is no such one."""
    one = UserSession.objects.filter(user_id=request.user.pk, pk=pk).first()
    if one is not None:
        one.end()
        _note_end_elsewhere(request)
    return one is not None


def end_others(request: HttpRequest) -> None:
    for one in UserSession.objects.filter(user_id=request.user.pk).exclude(
        session_key=request.session.session_key
    ):
        one.end()
        _note_end_elsewhere(request)


def _note_end_elsewhere(request: HttpRequest) -> None:
    if isinstance(request.user, Person):
        journal.signed_out(request, request.user, "by themselves, in another browser")


def browser_name(user_agent: str) -> str:
    """`Firefox on Linux`: enough to tell one's own from a stranger's."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "Some browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


# The first that is found: browsers name those that they are like, too.
_BROWSERS = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
]
_SYSTEMS = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
]


def _alive(request: HttpRequest, keys: list[str]) -> set[str]:
    """Those whose row is there and in time, and whose password has not been changed since."""
    hash_now = request.user.get_session_auth_hash()  # type: ignore[union-attr]  # signed in
    stored = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return {
        one.session_key for one in stored if one.get_decoded().get(HASH_SESSION_KEY) == hash_now
    }
