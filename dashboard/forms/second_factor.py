"""allauth's forms for the second factor.

They draw no pasted token back, and those for passkeys answer with a sentence where allauth's would
break on what no browser has made.
"""

import struct
from typing import Any

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm
from django.forms import BaseForm, ValidationError

from dashboard.forms.tokens import NoTokenInClear

_ODD = (AttributeError, IndexError, KeyError, TypeError, ValueError, struct.error)
_SENTENCE = "That is no passkey for here. Press the button to try once more."


class SetUpAppForm(NoTokenInClear, ActivateTOTPForm):  # type: ignore[misc]  # no types
    pass


class CodeForm(NoTokenInClear, AuthenticateForm):  # type: ignore[misc]
    pass


class ConfirmByCodeForm(NoTokenInClear, ReauthenticateForm):  # type: ignore[misc]
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


class UsePasskeyForm(NoTokenInClear, PasskeyField, AuthenticateWebAuthnForm):  # type: ignore[misc]
    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()
        except _ODD:
            raise ValidationError(_SENTENCE) from None


class ConfirmByPasskeyForm(UsePasskeyForm):
    reauthenticated = True
