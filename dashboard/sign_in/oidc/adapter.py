"""Who a subject of the provider is to us: known by issuer and subject, never by an e-mail address.

People are made when they first sign in, and their roles follow the provider's groups each time.
"""

import logging
from time import time
from typing import Any
from urllib.parse import urlencode

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url

from dashboard.sign_in import external_users, journal, methods, reauthentication
from dashboard.sign_in.oidc import id_token
from dashboard.sign_in.oidc.claims import Said, newcomer, said_in
from dashboard.sign_in.oidc.wire import ProviderFailed
from routines import people
from routines.models import AuditEvent, Person
from routines.people.roles import Role

logger = logging.getLogger(__name__)

Action = AuditEvent.Action

SOURCE = "identity provider"  # in the audit trail
_SIGN_OUT = "provider_sign_out"  # in the web session


class ProviderAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # no types
    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> Any:
        from dashboard.sign_in.oidc.flow import Provider  # which loads allauth's models

        return Provider(request)

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Decide who it is, what they may do, and whether they get in. Raise ProviderFailed."""
        id_token.check_nonce(sociallogin.claims, sociallogin.state.get("nonce", ""))
        said = said_in(sociallogin.claims)
        roles = said.groups.roles
        if not roles:
            logger.warning(_no_roles_sentence(said), extra={"facts": _facts(said)})
        if sociallogin.is_existing:
            if not sociallogin.user.is_active:
                return  # allauth says so, and nothing is changed
            sociallogin.user = external_users.give_roles(sociallogin.user, roles, source=SOURCE)
        if sociallogin.state.get("confirming"):
            raise ImmediateHttpResponse(_confirm(request, sociallogin))
        kept = sociallogin.is_existing and roles is None and people.roles_of(sociallogin.user)
        if not roles and not kept:
            why = "in none of the groups" if said.groups.came else "no groups came"
            _note_failure(request, sociallogin, why)
            raise ImmediateHttpResponse(_no_role(request, said))
        if not sociallogin.is_existing:
            _add_person(sociallogin, roles or [])

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        if error == AuthError.CANCELLED:
            sentence = "The sign-in was cancelled at the provider, so nobody was signed in."
        elif isinstance(exception, ProviderFailed):
            sentence = str(exception)
        elif exception is None and "state" not in (extra_context or {}):
            sentence = "This sign-in was begun too long ago, in another browser, or used already."
        else:
            sentence = "The provider did not let anybody in."
        raise ImmediateHttpResponse(failed(request, sentence))


def _note_failure(request: HttpRequest, sociallogin: SocialLogin, why: str) -> None:
    known = sociallogin.user if sociallogin.is_existing else None
    journal.failed(request, known, journal.Means.PROVIDER, why=why)


def _no_roles_sentence(said: Said) -> str:
    if said.groups.came:
        return "A sign-in at the identity provider brought no group that gives a role"
    return "A sign-in at the identity provider brought no groups; roles were left as they are"


def _facts(said: Said) -> dict[str, Any]:
    facts = {"wanted_claim": said.claim, "claims": ", ".join(said.claims)}
    if said.left_out:
        facts["why"] = "too many groups for a token, says the provider"
    return facts | said.groups.in_the_log()


def _no_role(request: HttpRequest, said: Said) -> HttpResponse:
    groups_that_open = [
        (settings.OIDC_TEAMMATES, "run routines and see your own runs"),
        (settings.OIDC_MANAGERS, "see everybody's runs"),
        (settings.OIDC_ADMINS, "do all of that, and keep routines, tokens and people"),
    ]
    context = {"groups_that_open": [pair for pair in groups_that_open if pair[0]], "said": said}
    return render(request, "account/no_role.html", context, status=403)


def failed(request: HttpRequest, sentence: str) -> HttpResponse:
    logger.warning("No sign-in at the identity provider: %s", sentence)
    confirming = isinstance(request.user, Person)
    action = Action.CONFIRMING_FAILED if confirming else Action.SIGN_IN_FAILED
    tried = request.user if isinstance(request.user, Person) else None
    journal.failed(request, tried, journal.Means.PROVIDER, why=sentence, action=action)
    return render(request, "account/provider_failed.html", {"sentence": sentence}, status=401)


def record_sign_in(request: HttpRequest, sociallogin: SocialLogin) -> None:
    """In the new web session: what signing out at the provider will need."""
    methods.record(request, methods.PROVIDER)
    request.session[_SIGN_OUT] = sociallogin.sign_out


def sign_out_url(request: HttpRequest) -> str | None:
    """Where signing out goes on, at the provider; None if this web session did not begin there."""
    noted = request.session.get(_SIGN_OUT)
    if not noted or not noted["url"]:
        return None
    parameters = {
        "id_token_hint": noted["id_token"],
        "client_id": settings.OIDC_CLIENT_ID,
        "post_logout_redirect_uri": f"{settings.DASHBOARD_URL}{resolve_url('account_login')}",
    }
    return f"{noted['url']}{'&' if '?' in noted['url'] else '?'}{urlencode(parameters)}"


def _confirm(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    """Somebody who is signed in has been asked for once more. The web session stays as it is, so
    that forms in other tabs stay good."""
    if not sociallogin.is_existing or sociallogin.user != request.user:
        return failed(request, "Somebody else than you has signed in at the provider.")
    signed_in_at = sociallogin.claims.get("auth_time")
    # Asked for, but not all providers say it.
    longest = settings.REAUTHENTICATE_AFTER_SECONDS
    # Compared, not subtracted: a claim may be a number too large for that.
    if isinstance(signed_in_at, int | float) and signed_in_at < time() - longest:
        return failed(request, "The provider did not ask you once more.")
    reauthentication.record(request)
    journal.confirmed(request, sociallogin.user, journal.Means.PROVIDER)
    return redirect(sociallogin.get_redirect_url(request) or "board")


def _add_person(sociallogin: SocialLogin, roles: list[Role]) -> None:
    try:
        with transaction.atomic():
            person = external_users.add(newcomer(sociallogin.claims), roles, source=SOURCE)
            sociallogin.account.user = person
            sociallogin.account.save()
    except IntegrityError:  # their other tab was faster
        known = SocialAccount.objects.get(
            provider=sociallogin.account.provider, uid=sociallogin.account.uid
        )
        sociallogin.account, person = known, Person.objects.get(pk=known.user_id)
    sociallogin.user = person
