"""What is asked for beside a password: allauth's authenticator app, passkeys and recovery codes.

Ours: their secrets are encrypted at rest with the keys of the tokens, and who must have a second
factor is led to set one up before anything else opens. People of the provider or the proxy have
their second factor there.
"""

import logging
import secrets
from base64 import b32encode
from collections.abc import Callable
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from dashboard.sign_in import means
from routines import audit
from routines.models import AuditEvent, Person
from routines.people.roles import Permission

logger = logging.getLogger(__name__)

LAST_ONE = "You must have a second factor here. Add another one first, then remove this."
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
_ENCRYPTED_FIELDS = ("secret", "seed")  # of Authenticator.data: the app's, the recovery codes'
_NAMES = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    def encrypt(self, text: str) -> str:
        return _keyring().encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _keyring().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            logger.error("A second factor cannot be read: no key of TOKEN_ENCRYPTION_KEYS opens it")
            return b32encode(secrets.token_bytes(20)).decode()  # which no code fits

    def generate_authenticator_name(self, user: Person, type: str) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return "Passkey" if number == 1 else f"Passkey {number}"

    def build_totp_svg(self, url: str) -> str:
        """To stand in the page itself: the policy allows no image out of a data: address."""
        svg: str = super().build_totp_svg(url)
        return svg[svg.index("<svg") :]

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        if not is_asked_of(authenticator.user):
            return True
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=FACTORS)
        return bool(others.exclude(pk=authenticator.pk).exists())

    error_messages = DefaultMFAAdapter.error_messages | {"cannot_delete_authenticator": LAST_ONE}


class PasswordsSecondFactor(AuthenticateStage):  # type: ignore[misc]
    """Asked for after a password. Who comes from the provider has been asked there."""

    def _should_handle(self, request: HttpRequest) -> bool:
        at_provider = "sociallogin" in (self.login.signal_kwargs or {})
        return not at_provider and super()._should_handle(request)


STAGE = f"{__name__}.{PasswordsSecondFactor.__name__}"


class SecondFactorMiddleware:
    """Nothing else opens before it is set up."""

    _OPEN = ("account_logout", "account_reauthenticate", "account_change_password", "confirmed")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], arguments: Any, keywords: Any
    ) -> HttpResponse | None:
        name = (request.resolver_match and request.resolver_match.url_name) or ""
        if name in self._OPEN or name.startswith("mfa_") or not is_missing(request):
            return None
        if getattr(request, "htmx", False):
            return HttpResponseClientRedirect(reverse("mfa_index"))
        if request.method == "POST":
            return render(request, "mfa/first.html", status=403)
        return redirect("mfa_index")


def is_missing(request: HttpRequest) -> bool:
    user = request.user
    if not isinstance(user, Person) or means.used(request) != means.PASSWORD:
        return False
    return is_asked_of(user) and not is_set_up(user)


def is_asked_of(person: Person) -> bool:
    if settings.REQUIRE_SECOND_FACTOR == "admins":
        return bool(person.has_perm(Permission.MANAGE_REGISTRY))
    return bool(settings.REQUIRE_SECOND_FACTOR == "all")


def is_set_up(person: Person) -> bool:
    return bool(Authenticator.objects.filter(user_id=person.pk, type__in=FACTORS).exists())


@transaction.atomic
def take_away(person: Person, *, by: Person | None) -> bool:
    """For somebody who has lost theirs. False if there was none."""
    deleted, _ = Authenticator.objects.filter(user_id=person.pk).delete()
    if deleted:
        changes = {"second factor": ["set up", None]}
        _trace(person, changes, by=by)
    return bool(deleted)


def note_change(
    user: Person, authenticator: Authenticator, *, added: bool, by: Person | None
) -> None:
    name = _NAMES[Authenticator.Type(authenticator.type)]
    _trace(user, {"second factor": [None, name] if added else [name, None]}, by=by)


def _trace(person: Person, changes: dict[str, Any], *, by: Person | None) -> None:
    action = AuditEvent.Action.PERSON_EDITED
    audit.trace(action, by=by, subject=person.username, changes=changes)


def reencrypt_all() -> int:
    """Re-encrypt the secrets under the newest key; how many were under an older one."""
    newest = Fernet(settings.TOKEN_ENCRYPTION_KEYS[0])
    reencrypted = 0
    for authenticator in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN):
        for field in _ENCRYPTED_FIELDS:
            encrypted = authenticator.data.get(field, "").encode()
            if not encrypted or _opens(newest, encrypted):
                continue
            try:
                anew = _keyring().rotate(encrypted).decode("ascii")
            except InvalidToken:
                continue  # said when it is used
            changed = authenticator.data | {field: anew}
            # Only if nobody has changed it meanwhile.
            reencrypted += Authenticator.objects.filter(
                pk=authenticator.pk, data=authenticator.data
            ).update(data=changed)
    return reencrypted


def _opens(key: Fernet, encrypted: bytes) -> bool:
    try:
        key.decrypt(encrypted)
    except InvalidToken:
        return False
    return True


def _keyring() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.TOKEN_ENCRYPTION_KEYS])
