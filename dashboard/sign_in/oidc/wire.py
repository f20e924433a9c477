"""What is asked of the identity provider, and how its answers are taken.

The room `wire` sends it: each answer is bounded in time, as a whole, and in size; redirects are
not followed (the client secret goes to where the discovery document says and nowhere else), and
what goes wrong becomes one sentence without any secret. The provider may be inside the company or
outside: HTTPS_PROXY and NO_PROXY say which of its hosts are reached through a proxy.
"""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings

from dashboard.environment import is_loopback
from routines import wire

SECONDS = 15.0  # for all answers of one request together, from looking up the first name on
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
    deadline: float  # of the request for whose sake they were asked for


def discover() -> Endpoints:
    wanted = settings.OIDC_ISSUER
    deadline = time.monotonic() + SECONDS
    url = f"{wanted.rstrip('/')}/.well-known/openid-configuration"
    document = _ask("GET", url, "discovery", deadline)
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
        deadline=deadline,
    )


def exchange(endpoints: Endpoints, *, code: str, verifier: str, callback: str) -> dict[str, Any]:
    """Turn the code into tokens; a code that was used before is refused there."""
    data = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback}
    data |= {"code_verifier": verifier, "client_id": settings.OIDC_CLIENT_ID}
    authorization = ""
    if endpoints.secret_in_header:
        # Encoded first, as RFC 6749 (2.3.1) wants it.
        pair = f"{quote_plus(settings.OIDC_CLIENT_ID)}:{quote_plus(settings.OIDC_CLIENT_SECRET)}"
        authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        data["client_secret"] = settings.OIDC_CLIENT_SECRET
    tokens = _ask(
        "POST", endpoints.token, "token", endpoints.deadline, data=data, authorization=authorization
    )
    if not all(isinstance(tokens.get(name), str) for name in ("access_token", "id_token")):
        raise ProviderFailed("The provider's token answer holds no ID token.")
    return tokens


def keys(endpoints: Endpoints) -> list[Any]:
    """Asked for at each sign-in: a key that the provider has revoked opens nothing from then on."""
    found = _ask("GET", endpoints.keys, "keys", endpoints.deadline).get("keys")
    return found if isinstance(found, list) else []


def userinfo(endpoints: Endpoints, access_token: str) -> dict[str, Any]:
    authorization = f"Bearer {access_token}"
    return _ask(
        "GET", endpoints.userinfo, "userinfo", endpoints.deadline, authorization=authorization
    )


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
    method: str,
    url: str,
    what: str,
    deadline: float,
    *,
    data: dict[str, str] | None = None,
    authorization: str = "",
) -> dict[str, Any]:
    # Several seconds may lie between two sign-ins: no connection is kept that long.
    headers = {"Connection": "close"}
    if authorization:
        headers["Authorization"] = authorization
    body = b""
    if data is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(data).encode()
    try:
        response = wire.ask(
            method,
            url,
            headers=headers,
            body=body,
            timeout=max(0.0, deadline - time.monotonic()),
            route=_route(urlsplit(url).hostname or ""),
            most_bytes=_MOST_BYTES,
        )
    except wire.NotSent as failure:
        why = f"{failure.why.value}. {failure.detail}".strip().rstrip(".")
        raise ProviderFailed(f"The provider's {what} address did not answer: {why}.") from None
    except wire.AnswerLost as failure:
        raise ProviderFailed(f"The provider's {what} address did not answer: {failure}.") from None
    answer = _parsed(response.body)
    if response.status != 200:
        code = answer.get("error")
        said = f", {code}" if isinstance(code, str) and code.isascii() and len(code) < 50 else ""
        raise ProviderFailed(
            f"The provider's {what} address refused (status {response.status}{said})."
        )
    if response.ended != wire.Ended.WHOLE:
        raise ProviderFailed(
            f"The provider's {what} address did not answer whole: {response.ended.value}."
        )
    if not answer:
        raise ProviderFailed(f"The provider's {what} address answered nothing readable.")
    return answer


def _route(host: str) -> wire.Route:
    proxy = None
    if settings.OIDC_PROXY_URL and not is_loopback(host) and not wire.is_in_no_proxy(host):
        proxy = wire.Proxy.from_url(settings.OIDC_PROXY_URL).signed_in_as(
            settings.OIDC_PROXY_USER, settings.OIDC_PROXY_PASSWORD
        )
    return wire.Route(proxy=proxy, ca_file=settings.OIDC_CA_BUNDLE)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
