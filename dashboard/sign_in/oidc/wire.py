"""The only code that talks to the identity provider, in requests, which allauth brings along.

Bounded in time and size, redirects are not followed (the client secret goes to where the discovery
document says and nowhere else), and what goes wrong becomes one sentence without any secret.
Proxies and a CA bundle of the company come from the usual variables (HTTPS_PROXY,
REQUESTS_CA_BUNDLE).
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlsplit

import requests
import urllib3
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from requests.auth import AuthBase, HTTPBasicAuth

from dashboard.environment import is_loopback

TIMEOUT = (5, 10)  # seconds: to connect, and for each answer to begin and go on
_MOST_BYTES = 1_000_000


class ProviderFailed(OAuth2Error):  # type: ignore[misc]  # allauth has no types
    """No sign-in came of it; `str()` is a sentence for the log and for an admin."""


@dataclass(frozen=True)
class Endpoints:
    """What the discovery document says."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str
    end_session: str
    secret_in_header: bool


def discover() -> Endpoints:
    wanted = settings.OIDC_ISSUER
    document = _ask("GET", f"{wanted.rstrip('/')}/.well-known/openid-configuration", "discovery")
    issuer = document.get("issuer")
    # The one liberty: a slash at the end, which people lose when they copy it.
    if not isinstance(issuer, str) or issuer.rstrip("/") != wanted.rstrip("/"):
        raise ProviderFailed("The discovery document is of another issuer than OIDC_ISSUER.")
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Endpoints(
        issuer=issuer,
        authorization=_endpoint(document, "authorization_endpoint"),
        token=_endpoint(document, "token_endpoint"),
        keys=_endpoint(document, "jwks_uri"),
        userinfo=_endpoint(document, "userinfo_endpoint", required=False),
        end_session=_endpoint(document, "end_session_endpoint", required=False),
        secret_in_header="client_secret_post" not in methods,
    )


def exchange(endpoints: Endpoints, *, code: str, verifier: str, callback: str) -> dict[str, Any]:
    """Turn the code into tokens; a code that was used before is refused there."""
    data = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback}
    data |= {"code_verifier": verifier, "client_id": settings.OIDC_CLIENT_ID}
    auth: AuthBase = _NoAuth()
    if endpoints.secret_in_header:
        # Encoded first, as RFC 6749 (2.3.1) wants it.
        auth = HTTPBasicAuth(
            quote_plus(settings.OIDC_CLIENT_ID), quote_plus(settings.OIDC_CLIENT_SECRET)
        )
    else:
        data["client_secret"] = settings.OIDC_CLIENT_SECRET
    tokens = _ask("POST", endpoints.token, "token", data=data, auth=auth)
    if not all(isinstance(tokens.get(name), str) for name in ("access_token", "id_token")):
        raise ProviderFailed("The provider's token answer holds no ID token.")
    return tokens


def keys(endpoints: Endpoints) -> list[Any]:
    """Asked for at each sign-in: a key that the provider has revoked opens nothing from then on."""
    found = _ask("GET", endpoints.keys, "keys").get("keys")
    return found if isinstance(found, list) else []


def userinfo(endpoints: Endpoints, access_token: str) -> dict[str, Any]:
    return _ask("GET", endpoints.userinfo, "userinfo", auth=_Bearer(access_token))


class _NoAuth(AuthBase):
    """Else requests would look into a .netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _endpoint(document: dict[str, Any], name: str, *, required: bool = True) -> str:
    url = document.get(name, "")
    try:
        parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
    except ValueError:
        parts = urlsplit("")
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    if secure and parts.hostname and str(url).isascii() and str(url).isprintable():
        return str(url)
    if required or url:
        raise ProviderFailed(f"The discovery document's {name} is no https address.")
    return ""


def _ask(
    method: str, url: str, what: str, *, data: dict[str, str] | None = None, auth: Any = None
) -> dict[str, Any]:
    try:
        with (
            requests.Session() as session,
            session.request(
                method,
                url,
                data=data,
                auth=auth or _NoAuth(),
                headers={"Accept": "application/json"},
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            body = response.raw.read(_MOST_BYTES, decode_content=True)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        # The error's text may hold what was sent.
        raise ProviderFailed(
            f"The provider's {what} address did not answer ({type(error).__name__})."
        ) from None
    answer = _parsed(body)
    if response.status_code != 200:
        code = answer.get("error")
        said = f", {code}" if isinstance(code, str) and code.isascii() and len(code) < 50 else ""
        raise ProviderFailed(
            f"The provider's {what} address refused (status {response.status_code}{said})."
        )
    if not answer:
        raise ProviderFailed(f"The provider's {what} address answered nothing readable.")
    return answer


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
