"""What is asked for besides a password: allauth's authenticator app, passkeys and recovery codes.

Ours: their secrets are encrypted at rest with the keys of the tokens, and a rule says who must have
one (gates.py leads them to set it up). People of the provider or the proxy have theirs there.
"""

import logging
import secrets
from base64 import b32encode

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from dashboard.sign_in import journal, methods
from routines import audit
from routines.models import AuditEvent, Person
from routines.people.roles import Permission
from routines.values.snapshots import Snapshot, check

logger = logging.getLogger(__name__)

Action = AuditEvent.Action

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

    def generate_authenticator_name(self, user: Person, type: str) -> str:  # noqa: A002  # allauth's
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return "Passkey" if number == 1 else f"Passkey {number}"

    def build_totp_svg(self, url: str) -> str:
        """To stand in the page itself: the policy allows no image out of a data: address."""
        svg: str = super().build_totp_svg(url)
        return svg[svg.index("<svg") :]

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        if not is_required_of(authenticator.user):
            return True
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=FACTORS)
        return bool(others.exclude(pk=authenticator.pk).exists())

    error_messages = DefaultMFAAdapter.error_messages | {"cannot_delete_authenticator": LAST_ONE}


class PasswordsSecondFactor(AuthenticateStage):  # type: ignore[misc]
    """Asked for after a password. People of the provider have been asked there."""

    def handle(self) -> tuple[HttpResponse | None, bool]:
        if "sociallogin" in (self.login.signal_kwargs or {}):
            return None, True  # on to the next stage
        asked: tuple[HttpResponse | None, bool] = super().handle()
        return asked


STAGE = f"{__name__}.{PasswordsSecondFactor.__name__}"


def is_missing(request: HttpRequest) -> bool:
    user = request.user
    if not isinstance(user, Person) or methods.used(request) != methods.PASSWORD:
        return False
    return is_required_of(user) and not is_set_up(user)


def is_required_of(person: Person) -> bool:
    if settings.REQUIRE_SECOND_FACTOR == "admins":
        return bool(person.has_perm(Permission.MANAGE_REGISTRY))
    return bool(settings.REQUIRE_SECOND_FACTOR == "all")


def is_set_up(person: Person) -> bool:
    return bool(Authenticator.objects.filter(user_id=person.pk, type__in=FACTORS).exists())


def snapshot(person: Person) -> Snapshot:
    """Which factors they have."""
    theirs = Authenticator.objects.filter(user_id=person.pk).order_by("pk")
    named = [f"{_NAMES[Authenticator.Type(one.type)]} {one.pk}" for one in theirs]
    return Snapshot(
        f"second factor of person {person.pk}", {"second_factor": named}, subject=person.username
    )


@transaction.atomic
def reset(person: Person, *, by: Person | None, seen: Snapshot | None = None) -> bool:
    """Remove all factors of somebody who has lost theirs. False if there were none.

    Raise ChangedMeanwhile if they are not any more those that the page showed.
    """
    list(Authenticator.objects.select_for_update().filter(user_id=person.pk))
    check(seen, snapshot(person))
    deleted, _ = Authenticator.objects.filter(user_id=person.pk).delete()
    if deleted:
        _trace(Action.SECOND_FACTOR_REMOVED, person, ["set up", None], by=by)
    return bool(deleted)


def trace_change(
    user: Person, authenticator: Authenticator, *, added: bool, by: Person | None
) -> None:
    name = _NAMES[Authenticator.Type(authenticator.type)]
    if added:
        _trace(Action.SECOND_FACTOR_ADDED, user, [None, name], by=by)
    else:
        _trace(Action.SECOND_FACTOR_REMOVED, user, [name, None], by=by)


def _trace(
    action: AuditEvent.Action, person: Person, change: list[str | None], *, by: Person | None
) -> None:
    audit.trace(action, by=by, subject=person.username, changes={"second factor": change})
    facts = {"person": person.username, "outcome": action.value}
    facts |= {"means": next(filter(None, change), "")}
    logger.info("sign-in", extra={"facts": facts})


def note_failure(
    request: HttpRequest, person: Person, authenticator: Authenticator | None, *, throttled: bool
) -> None:
    kind = authenticator.type if authenticator else Authenticator.Type.WEBAUTHN
    means = journal.means_of(kind)
    if throttled:
        journal.throttled(request, person, means)
    else:
        action = Action.SECOND_FACTOR_FAILED
        journal.failed(request, person, means, why="wrong one", action=action)


def reencrypt_all() -> int:
    """Encrypt the secrets with the newest key; return how many were encrypted with an older one."""
    newest = Fernet(settings.TOKEN_ENCRYPTION_KEYS[0])
    reencrypted = 0
    for authenticator in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN):
        for field in _ENCRYPTED_FIELDS:
            encrypted = authenticator.data.get(field, "").encode()
            if not encrypted or _can_decrypt(newest, encrypted):
                continue
            try:
                rotated = _keyring().rotate(encrypted).decode("ascii")
            except InvalidToken:
                continue  # said when it is used
            changed = authenticator.data | {field: rotated}
            # Only if nobody has changed it meanwhile.
            reencrypted += Authenticator.objects.filter(
                pk=authenticator.pk, data=authenticator.data
            ).update(data=changed)
    return reencrypted


def _can_decrypt(key: Fernet, encrypted: bytes) -> bool:
    try:
        key.decrypt(encrypted)
    except InvalidToken:
        return False
    return True


def _keyring() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.TOKEN_ENCRYPTION_KEYS])
