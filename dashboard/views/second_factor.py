"""The pages around allauth's own for the second factor."""

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.views import IndexView
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.views import remove_webauthn
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from dashboard.requests import SignedInRequest
from dashboard.sign_in import second_factor


class Index(IndexView):  # type: ignore[misc]  # allauth has no types
    http_method_names = ["get", "head"]

    def get_context_data(self, **context: object) -> dict[str, object]:
        missing = second_factor.is_missing(self.request)
        return {**super().get_context_data(**context), "must_set_up": missing}


index = never_cache(Index.as_view())


@require_GET
def passkeys(request: SignedInRequest) -> HttpResponse:
    """Where allauth goes on after a change: they stand on the one page."""
    return redirect("mfa_index")


def remove_passkey(request: SignedInRequest, pk: int) -> HttpResponse:
    """allauth asks for the app alone whether it may go; for a passkey we do."""
    mine = Authenticator.objects.filter(user=request.user, type=Authenticator.Type.WEBAUTHN)
    passkey = get_object_or_404(mine.select_related("user"), pk=pk)
    if not get_adapter().can_delete_authenticator(passkey):
        messages.warning(request, second_factor.LAST_ONE)
        return redirect("mfa_index")
    response: HttpResponse = remove_webauthn(request, pk=pk)
    return response
