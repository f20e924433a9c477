"""Which API key a call comes with. A page's sign-in opens nothing here."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from dashboard.api.refusals import Refusal, answer
from dashboard.serving import client_address, request_log
from routines.callers import authenticating
from routines.models import ApiKey
from routines.models import Refusal as WhyRefused

_SCHEME = "bearer "
_SENTENCES = {
    WhyRefused.REVOKED: "This API key was revoked. Ask an admin of the dashboard for a new one.",
    WhyRefused.EXPIRED: "This API key has expired. Ask an admin of the dashboard for a new one.",
}
_NO_KEY = "Send an API key of this dashboard: Authorization: Bearer rdk_..."
_WRONG_KEY = (
    "This is no API key of this dashboard, or one that has been ended. Compare it with the one "
    "that you were given."
)
_WRONG_PLACE = (
    "This API key may not be used from your network address. Ask an admin of the dashboard to "
    "allow it, or call from an allowed one."
)


class DoorRequest(HttpRequest):
    """A request whose API key is known."""

    api_key: ApiKey


def opened_by_key(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Only a call with a usable API key gets to `view`, as a DoorRequest."""

    @wraps(view)
    def guarded(request: DoorRequest, *arguments: Any, **named: Any) -> HttpResponse:
        try:
            request.api_key = _authenticate(request)
        except _Refused as refused:
            return answer(request, refused.refusal)
        request_log.name_person(request, f"API key {request.api_key.name}")
        return view(request, *arguments, **named)

    return csrf_exempt(login_not_required(guarded))


class _Refused(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        self.refusal = Refusal(status, sentence, headers)


def _authenticate(request: HttpRequest) -> ApiKey:
    header = request.headers.get("Authorization", "")
    if not header.lower().startswith(_SCHEME):
        raise _Refused(401, _NO_KEY)
    presented = header[len(_SCHEME) :].strip()
    try:
        return authenticating.authenticate(presented, address=client_address.of(request))
    except authenticating.UnknownKey:
        raise _Refused(401, _WRONG_KEY) from None
    except authenticating.KeyRefused as refused:
        if refused.refusal == WhyRefused.NETWORK:
            raise _Refused(403, _WRONG_PLACE) from None
        raise _Refused(401, _SENTENCES[refused.refusal]) from None
