"""allauth's forms for the second factor. They draw no pasted token back, and the passkeys' ones say
so in a sentence where they would break on what no browser made."""

from struct import error as CutShort
from typing import Any

from allauth.mfa.base import forms as codes
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as passkeys
from django.forms import BaseForm, ValidationError

from dashboard.forms.tokens import NoTokenInClear

_ODD = (AttributeError, IndexError, KeyError, TypeError, ValueError, CutShort)
_SENTENCE = "That is no passkey for here. Press the button to try once more."


class SetUpAppForm(NoTokenInClear, totp.ActivateTOTPForm):  # type: ignore[misc]  # no types
    pass


class CodeForm(NoTokenInClear, codes.AuthenticateForm):  # type: ignore[misc]
    pass


class ConfirmByCodeForm(NoTokenInClear, codes.ReauthenticateForm):  # type: ignore[misc]
    pass


class PasskeyField(BaseForm):
    """Whatever is wrong with a passkey, the sentence stands above the form: its field is hidden,
    and allauth calls it an incorrect code."""

    def add_error(self, field: str | None, error: Any) -> None:
        if field in ("credential", None):
            too_many = getattr(error, "code", None) == "too_many_login_attempts"
            field, error = None, error if too_many else _SENTENCE
        super().add_error(field, error)


class AddPasskeyForm(NoTokenInClear, PasskeyField, passkeys.AddWebAuthnForm):  # type: ignore[misc]
    def clean(self) -> Any:
        try:
            return super().clean()
        except _ODD:
            raise ValidationError(_SENTENCE) from None


class UsePasskeyForm(NoTokenInClear, PasskeyField, passkeys.AuthenticateWebAuthnForm):  # type: ignore[misc]
    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()
        except _ODD:
            raise ValidationError(_SENTENCE) from None


class ConfirmByPasskeyForm(UsePasskeyForm):
    reauthenticated = True
