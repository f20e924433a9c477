"""Tokens at rest: encrypted with keys that live outside the database, bound to their routine.

An encrypted token is Fernet ciphertext (AES-128-CBC with HMAC-SHA256) around the routine ID and the
token. The binding is to the routine's ID at claude.ai because that is what a token belongs to:
pasted onto another row, or left behind when a row's routine ID is changed, it does not open.
"""

import hmac
import json
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from routines.values import token_patterns
from routines.values.token_patterns import (
    PREFIX,
    TokenRefused,
    contains_token,
    contains_whole_token,
)

__all__ = [
    "FORM_LIFETIME",
    "PREFIX",
    "FormTokenLost",
    "Token",
    "TokenRefused",
    "TokenUnreadable",
    "contains_token",
    "contains_whole_token",
    "decrypt",
    "decrypt_from_form",
    "encrypt",
    "encrypt_for_form",
    "find",
    "parse",
    "reencrypt",
]


class FormTokenLost(Exception):
    """What a form carried between two steps does not open: too old, altered, or another form's."""


class TokenUnreadable(Exception):
    """No key at hand opens the encrypted token, or it was encrypted for another routine."""


class Token:
    """A token in plain text that shows only its last four characters by accident."""

    __slots__ = ("_plain",)

    def __init__(self, plain: str) -> None:
        self._plain = plain

    def reveal(self) -> str:
        return self._plain

    @property
    def last_four(self) -> str:
        return self._plain[-4:]

    def __repr__(self) -> str:
        return f"<Token …{self.last_four}>"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and hmac.compare_digest(self._plain, other._plain)

    __hash__ = None  # type: ignore[assignment]  # a key in a dict is a token that stays in memory

    def __reduce__(self) -> str:
        raise TypeError("A token is not pickled: caches and queues are no place for it.")


def parse(pasted: str) -> Token:
    """The token that was asked for alone, whatever was copied along with it.

    Raises: TokenRefused with a sentence.
    """
    if not pasted.strip():
        raise TokenRefused("Paste the token that claude.ai showed when it was generated.")
    plain = token_patterns.find(pasted, alone=True)
    if plain is None:
        raise TokenRefused(
            f"No token was found in this. A routine token starts with {PREFIX}: paste it as "
            "claude.ai shows it, alone or with the whole command."
        )
    return Token(plain)


def find(text: str) -> Token | None:
    """The one token in a text that may hold more; None if there is none.

    Raises: TokenRefused if there are several, or if it is broken, cut or a placeholder.
    """
    plain = token_patterns.find(text)
    return Token(plain) if plain is not None else None


def encrypt(token: Token, *, routine_id: str) -> str:
    """Encrypt with the newest key; the answer is ASCII text for the database."""
    return _encrypt({"routine_id": routine_id, "token": token.reveal()})


def decrypt(encrypted: str, *, routine_id: str) -> Token:
    """Raise TokenUnreadable unless a key at hand opens it and it was encrypted for this routine."""
    try:
        content = _decrypt(encrypted, _keyring())
    except InvalidToken:
        # `from None`: the chained exception's frames would hold key material.
        raise TokenUnreadable("No key at hand opens this token.") from None
    if content.get("routine_id") != routine_id:
        raise TokenUnreadable("This token was encrypted for another routine.")
    return Token(content["token"])


def reencrypt(encrypted: str, *, routine_id: str) -> str | None:
    """The same token under the newest key; None if it is under it already.

    Raise TokenUnreadable.
    """
    token = decrypt(encrypted, routine_id=routine_id)
    try:
        _decrypt(encrypted, MultiFernet(_keys()[:1]))
    except InvalidToken:
        return encrypt(token, routine_id=routine_id)
    return None


# --- Between two steps of a form: the page holds ciphertext, and only for a while ---

FORM_LIFETIME = timedelta(minutes=15)


def encrypt_for_form(token: Token, *, form: str) -> str:
    """For a hidden field. `form` names the form and the person: nothing else opens it."""
    return _encrypt({"form": form, "token": token.reveal()})


def decrypt_from_form(encrypted: str, *, form: str) -> Token:
    """Raise FormTokenLost if it is older than FORM_LIFETIME, altered, or another form's."""
    try:
        content = _decrypt(encrypted, _keyring(), lifetime=FORM_LIFETIME)
    except InvalidToken:
        raise FormTokenLost from None
    if content.get("form") != form:
        raise FormTokenLost
    return Token(content["token"])


def _encrypt(content: dict[str, str]) -> str:
    return _keyring().encrypt(json.dumps(content).encode()).decode("ascii")


def _decrypt(
    encrypted: str, keyring: MultiFernet, *, lifetime: timedelta | None = None
) -> dict[str, str]:
    """Raise InvalidToken."""
    if not encrypted.isascii():
        raise InvalidToken
    ttl = int(lifetime.total_seconds()) if lifetime else None
    content: dict[str, str] = json.loads(keyring.decrypt(encrypted.encode(), ttl=ttl))
    return content


def _keyring() -> MultiFernet:
    # Made at each use (microseconds): a key then never outlives the settings it came from.
    return MultiFernet(_keys())


def _keys() -> list[Fernet]:
    """Newest first."""
    return [Fernet(key) for key in settings.TOKEN_ENCRYPTION_KEYS]
