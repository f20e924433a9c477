"""To the identity provider, and back from it."""

from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.requests import SignedInRequest
from dashboard.serving.throttling import address_of
from dashboard.sign_in import journal, throttling
from dashboard.sign_in.oidc import flow
from dashboard.sign_in.oidc.adapter import failed
from dashboard.sign_in.oidc.wire import ProviderFailed
from dashboard.views import errors


@require_POST
@login_not_required
@never_cache
def begin(request: HttpRequest) -> HttpResponse:
    if throttling.AT_THE_PROVIDER.take(address_of(request)) is None:
        journal.throttled(request, None, journal.Means.PROVIDER)
        return errors.too_many(request)
    return _begin(request, confirming=False)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def confirm(request: SignedInRequest) -> HttpResponse:
    """For people without a password here: the provider asks once more."""
    if request.method == "POST":
        return _begin(request, confirming=True)
    context = {"after": get_next_redirect_url(request)}
    return render(request, "account/confirm_at_provider.html", context)


@require_GET
@login_not_required
@never_cache
def callback(request: HttpRequest) -> HttpResponse:
    if not settings.OIDC_ISSUER:
        raise Http404("No identity provider is set up.")
    view = OAuth2CallbackView.adapter_view(flow.Adapter(request))
    try:
        response: HttpResponse = view(request)
    except ProviderFailed as failure:
        return failed(request, str(failure))
    return response


def _begin(request: HttpRequest, *, confirming: bool) -> HttpResponse:
    if not settings.OIDC_ISSUER:
        raise Http404("No identity provider is set up.")
    after = get_next_redirect_url(request)
    try:
        return flow.Provider(request).begin(request, after=after, confirming=confirming)
    except ProviderFailed as failure:
        return failed(request, str(failure))
