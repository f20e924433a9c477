"""allauth's OpenID Connect, with what it leaves out."""

import secrets
from typing import Any

from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Client
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property

from dashboard.sign_in.oidc import id_token, wire
from dashboard.sign_in.oidc.claims import said_in


class Client(OAuth2Client):  # type: ignore[misc]  # allauth has no types
    endpoints: wire.Endpoints

    def get_redirect_url(self, authorization_url: str, scope: Any, extra_params: Any) -> str:
        url: str = super().get_redirect_url(authorization_url, scope, extra_params)
        if "?" not in authorization_url:
            return url
        return f"{authorization_url}&{url[len(authorization_url) + 1 :]}"

    def get_access_token(self, code: str, pkce_code_verifier: str = "", **_: Any) -> dict[str, Any]:
        return wire.exchange(
            self.endpoints, code=code, verifier=pkce_code_verifier, callback=self.callback_url
        )


class Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    client_class = Client

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, settings.OIDC_ISSUER)

    @cached_property
    def endpoints(self) -> wire.Endpoints:
        return wire.discover()

    @property
    def access_token_url(self) -> str:
        return self.endpoints.token

    @property
    def authorize_url(self) -> str:
        return self.endpoints.authorization

    @property
    def basic_auth(self) -> bool:
        return self.endpoints.secret_in_header

    def get_provider(self) -> "Provider":
        return Provider(self.request)

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return f"{settings.DASHBOARD_URL}{reverse('oidc_callback')}"

    def get_client(self, request: HttpRequest, app: SocialApp) -> Client:
        client: Client = super().get_client(request, app)
        client.endpoints = self.endpoints
        return client

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        return SocialToken(token=data["access_token"])  # used once, and stored nowhere

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **more: Any
    ) -> Any:
        raw = more["response"]["id_token"]
        said_by = request.GET.get("iss", self.endpoints.issuer)  # RFC 9207: not all providers say
        if said_by != self.endpoints.issuer:
            raise wire.ProviderFailed("The answer comes from another issuer.")
        claims = id_token.verified(
            raw,
            keys=wire.keys(self.endpoints),
            issuer=self.endpoints.issuer,
            client_id=settings.OIDC_CLIENT_ID,
        )
        whole = self._whole(claims, token)
        login = self.get_provider().sociallogin_from_response(request, whole)
        login.claims = whole
        login.sign_out = {"url": self.endpoints.end_session, "id_token": raw}
        return login

    def _whole(self, claims: dict[str, Any], token: SocialToken) -> dict[str, Any]:
        """With what only the userinfo endpoint says; many providers keep ID tokens small."""
        if not self.endpoints.userinfo:
            return claims
        if said_in(claims).groups.came and "preferred_username" in claims:
            return claims
        userinfo = wire.userinfo(self.endpoints, token.token)
        if userinfo.get("sub") != claims["sub"]:
            raise wire.ProviderFailed("The userinfo answer is about somebody else.")
        return userinfo | {name: value for name, value in claims.items() if value is not None}


class Provider(OpenIDConnectProvider):  # type: ignore[misc]
    """The one provider, out of the settings: no row in the database, nothing to keep in step."""

    oauth2_adapter_class = Adapter

    def __init__(self, request: HttpRequest, app: SocialApp | None = None) -> None:
        app = SocialApp(
            provider=self.id,
            provider_id=settings.OIDC_ISSUER,  # accounts are known by issuer and subject
            name=settings.OIDC_LABEL,
            client_id=settings.OIDC_CLIENT_ID,
            secret=settings.OIDC_CLIENT_SECRET,
            settings={"oauth_pkce_enabled": True, "scope": settings.OIDC_SCOPES},
        )
        super().__init__(request, app=app)

    def get_oauth2_adapter(self, request: HttpRequest) -> Adapter:
        return Adapter(request)

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}  # what the provider knows of people stays there

    def extract_uid(self, data: dict[str, Any]) -> str:
        return str(data["sub"])

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        return []  # nobody is ever found by an address

    def begin(self, request: HttpRequest, *, after: str | None, confirming: bool) -> HttpResponse:
        """Send the browser to the provider. Raise ProviderFailed."""
        nonce = secrets.token_urlsafe(32)
        parameters = {"nonce": nonce}
        if confirming:
            parameters |= {"prompt": "login", "max_age": "0"}
        response: HttpResponse = self.redirect(
            request,
            process=AuthProcess.LOGIN,
            next_url=after,
            auth_params=parameters,
            nonce=nonce,
            confirming=confirming,
        )
        return response
