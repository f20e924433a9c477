"""What makes an ID token good: signed by its issuer, for us, now, and for this very sign-in.

The last is known only where allauth hands out what it kept of the sign-in's beginning: `verified`
is called when the token arrives, `check_nonce` as soon as that is known (adapter.py).
"""

import hmac
from typing import Any

import jwt

from dashboard.sign_in.oidc.wire import ProviderFailed

# Signatures with a key pair alone: "none" proves nothing, and a key that was meant for HS256 would
# let whoever knows the client secret make tokens.
ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]
_CLOCKS_MAY_DIFFER_BY = 60  # seconds
_LONGEST_SUBJECT = 191  # allauth's column


def verified(id_token: str, *, keys: list[Any], issuer: str, client_id: str) -> dict[str, Any]:
    """Its claims, all but the nonce checked. Raise ProviderFailed."""
    try:
        key = _key(id_token, keys)
        claims: dict[str, Any] = jwt.decode(
            id_token,
            key=key,
            algorithms=ALGORITHMS,
            issuer=issuer,
            audience=client_id,
            leeway=_CLOCKS_MAY_DIFFER_BY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    # Of claims of nonsense (a moment of 1e999, half a surrogate pair) PyJWT lets Python's own out.
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ProviderFailed(f"The ID token is not good ({type(error).__name__}).") from None
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise ProviderFailed("The ID token was issued to another client.")
    subject = claims["sub"]
    # Printable: no database takes half of a surrogate pair, and PostgreSQL no NUL.
    if not (
        isinstance(subject, str) and 0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable()
    ):
        raise ProviderFailed("The ID token's subject cannot be used.")
    return claims


def check_nonce(claims: dict[str, Any], nonce: str) -> None:
    """Raise ProviderFailed unless the token was made for the sign-in that began with `nonce`."""
    received = claims.get("nonce")
    if (
        not nonce
        or not isinstance(received, str)
        or not hmac.compare_digest(received.encode(errors="replace"), nonce.encode())
    ):
        raise ProviderFailed("The ID token was made for another sign-in: its nonce is not ours.")


def _key(id_token: str, keys: list[Any]) -> jwt.PyJWK:
    header = jwt.get_unverified_header(id_token)
    if header.get("alg") not in ALGORITHMS:
        raise jwt.InvalidAlgorithmError
    wanted = header.get("kid")
    for key in keys:
        if not isinstance(key, dict) or key.get("use", "sig") != "sig":
            continue
        if wanted is not None and key.get("kid") != wanted:
            continue
        try:
            return jwt.PyJWK(key, algorithm=header["alg"])
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue  # of another kind
    raise jwt.InvalidKeyError
