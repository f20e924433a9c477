"""allauth's forms for passkeys, which would break on what no browser made."""

from struct import error as CutShort
from typing import Any

from allauth.mfa.webauthn import forms as allauth
from django.forms import ValidationError

_ODD = (AttributeError, IndexError, KeyError, TypeError, ValueError, CutShort)
_SENTENCE = "That is no passkey for here. Press the button to try once more."


class AddPasskeyForm(allauth.AddWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    def clean(self) -> Any:
        try:
            return super().clean()
        except _ODD:
            raise ValidationError(_SENTENCE) from None


class UsePasskeyForm(allauth.AuthenticateWebAuthnForm):  # type: ignore[misc]
    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()
        except _ODD:
            raise ValidationError(_SENTENCE) from None


class ConfirmByPasskeyForm(UsePasskeyForm):
    reauthenticated = True
