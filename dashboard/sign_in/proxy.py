"""Sign-in by a header that a proxy in front sets, for companies that sign people in there.

Off unless SIGN_IN_HEADER and TRUSTED_PROXY_ADDRESSES are both set. Whoever may set the header is
known by the connection's own address, never by another header. From any other address it is
refused, not ignored: somebody pretends to be somebody else, or the proxy's address is missing in
the settings, and both are better noticed than taken for "not signed in".

Django's RemoteUserMiddleware is no base for this: docs/decisions/0003-sign-in-through-allauth.md.
"""

import logging
import unicodedata
from collections.abc import Callable
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import login, logout
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from dashboard.serving import door_addresses
from dashboard.sign_in import external_users, journal, methods
from dashboard.sign_in.groups import Groups
from dashboard.sign_in.oidc.claims import NOT_IN_USERNAMES
from routines import people
from routines.models import Person
from routines.values import addresses, names

logger = logging.getLogger(__name__)

SOURCE = "proxy in front"  # in the audit trail
_BACKEND = "dashboard.sign_in.backend.GroupRightsBackend"
_GROUPS = "roles_of_the_proxy"  # in the web session: what the header said last


class ProxySignInMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # A program at a door is its API key, whoever the proxy names: signed in, each of its calls
        # would leave a web session behind, since it brings no cookie back.
        if not settings.SIGN_IN_HEADER or door_addresses.is_door(request):
            return self.get_response(request)
        given = [name for name in _headers() if name in request.headers]
        if given and not _is_trusted(request):
            logger.warning("%s from an address that is no trusted proxy: refused", given[0])
            _note_failure(request, None, "not from a trusted proxy")
            return _refused(request, "account/not_the_proxy.html")
        username = _text(request, settings.SIGN_IN_HEADER).strip()
        if username:
            return self._signed_in(request, username)
        if methods.used(request) == methods.PROXY:  # the proxy no longer vouches for anybody
            _sign_out(request, "the proxy named nobody")
        return self.get_response(request)

    def _signed_in(self, request: HttpRequest, username: str) -> HttpResponse:
        groups = _groups(request)
        person = _person(request, username, groups)
        if person is None:
            _note_failure(request, username, "not known here")
            return _not_known(request, groups)
        if not person.is_active:
            _note_failure(request, person, "deactivated")
            return _refused(request, "account/account_inactive.html")
        if request.user != person or methods.used(request) != methods.PROXY:
            if request.user.is_authenticated:
                _sign_out(request, "the proxy named another")
            login(request, person, backend=_BACKEND)
            methods.record(request, methods.PROXY)
            UserSession.objects.create_from_request(request)
            journal.signed_in(request, person, journal.Means.HEADER)
        _give_roles(request, person, groups)
        return self.get_response(request)


def _headers() -> list[str]:
    return [name for name in (settings.SIGN_IN_HEADER, settings.SIGN_IN_GROUPS_HEADER) if name]


def _is_trusted(request: HttpRequest) -> bool:
    # A Unix socket has no address: give the proxy a port to connect to.
    return addresses.is_in(request.META.get("REMOTE_ADDR", ""), settings.TRUSTED_PROXY_ADDRESSES)


def _text(request: HttpRequest, header: str) -> str:
    """A header's value. WSGI hands over bytes as if they were Latin-1; proxies mean UTF-8."""
    raw = request.headers.get(header, "").encode("latin-1", "replace")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return unicodedata.normalize("NFC", text)


def _person(request: HttpRequest, username: str, groups: Groups) -> Person | None:
    if request.user.is_authenticated and names.key(request.user.username) == names.key(username):
        return request.user
    if NOT_IN_USERNAMES.search(username) or len(username) > 150:
        return None  # nobody can be called so, and PostgreSQL cannot even be asked for a NUL
    known = _known(username)
    if known is not None or not groups.roles:
        return known
    newcomer = external_users.Newcomer(username)
    try:
        return external_users.add_exactly(newcomer, groups.roles, source=SOURCE)
    except (people.Refused, IntegrityError):  # their other request was faster
        return _known(username)


def _known(username: str) -> Person | None:
    return Person.objects.named(username)


def _give_roles(request: HttpRequest, person: Person, groups: Groups) -> None:
    said = None if groups.names is None else sorted(groups.names)
    if said is not None and request.session.get(_GROUPS) != said:
        request.user = external_users.give_roles(person, groups.roles, source=SOURCE)
        request.session[_GROUPS] = said


def _groups(request: HttpRequest) -> Groups:
    """None came if the header is not there, or nobody has set which one it is: roles stay as they
    are. An empty header says that there are none."""
    header = settings.SIGN_IN_GROUPS_HEADER
    if not header or header not in request.headers:
        return Groups(None)
    return Groups.of_text(_text(request, header))


def _sign_out(request: HttpRequest, why: str) -> None:
    if isinstance(request.user, Person):
        journal.signed_out(request, request.user, why)
    logout(request)


def _note_failure(request: HttpRequest, tried: str | Person | None, why: str) -> None:
    journal.failed(request, tried, journal.Means.HEADER, why=why)


def _not_known(request: HttpRequest, groups: Groups) -> HttpResponse:
    header = settings.SIGN_IN_GROUPS_HEADER
    logger.warning(
        "The sign-in proxy names somebody who is not known here",
        extra={"facts": {"groups_header": header or "not set"} | groups.in_the_log()},
    )
    context = {"header": header, "groups": groups}
    return _refused(request, "account/not_known_here.html", context)


def _refused(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None
) -> HttpResponse:
    return render(request, template, context, status=403)
