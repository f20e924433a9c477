"""allauth's forms for the second factor.

They draw no pasted token back, and those for passkeys answer with a sentence where allauth's would
break on what no browser has made.
"""

import struct
from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm
from django.forms import BaseForm, ValidationError

from dashboard.forms.tokens import NoTokenInClear

_ODD = (AttributeError, IndexError, KeyError, TypeError, ValueError, struct.error)
_SENTENCE = "That is no passkey for here. Press the button to try once more."


class SetUpAppForm(NoTokenInClear, ActivateTOTPForm):  # type: ignore[misc]  # no types
    pass


class SaysThatItFailed(BaseForm):
    """allauth's signal, also where allauth leaves it out: for passkeys, and for too many tries."""

    user: Any

    def add_error(self, field: str | None, error: Any) -> None:
        code = getattr(error, "code", None)
        throttled = code == "too_many_login_attempts"
        if throttled or (field == "credential" and code != "required"):
            authentication_failed.send(
                sender=Authenticator,
                request=context.request,
                user=self.user,
                authenticator=None if field == "credential" else self.main_authenticator,
                reauthentication=False,
                throttled=throttled,
            )
        super().add_error(field, error)

    @property
    def main_authenticator(self) -> Any:
        """The one that a code is for."""
        mine = Authenticator.objects.filter(user=self.user)
        return mine.exclude(type=Authenticator.Type.WEBAUTHN).order_by("-type").first()


class CodeForm(NoTokenInClear, SaysThatItFailed, AuthenticateForm):  # type: ignore[misc]
    pass


class ConfirmByCodeForm(NoTokenInClear, SaysThatItFailed, ReauthenticateForm):  # type: ignore[misc]
    pass


class PasskeyField(BaseForm):
    """Whatever is wrong with a passkey, the sentence stands above the form: its field is hidden,
    and allauth calls it an incorrect code."""

    def add_error(self, field: str | None, error: Any) -> None:
        if field in ("credential", None):
            too_many = getattr(error, "code", None) == "too_many_login_attempts"
            field, error = None, error if too_many else _SENTENCE
        super().add_error(field, error)


class AddPasskeyForm(NoTokenInClear, PasskeyField, AddWebAuthnForm):  # type: ignore[misc]
    def clean(self) -> Any:
        try:
            return super().clean()
        except _ODD:
            raise ValidationError(_SENTENCE) from None


class UsePasskeyForm(
    NoTokenInClear,
    SaysThatItFailed,
    PasskeyField,
    AuthenticateWebAuthnForm,  # type: ignore[misc]
):
    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()
        except _ODD:
            raise ValidationError(_SENTENCE) from None


class ConfirmByPasskeyForm(UsePasskeyForm):
    reauthenticated = True
