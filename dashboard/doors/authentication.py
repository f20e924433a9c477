"""Which API key a call comes with. A page's sign-in opens nothing here."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from dashboard.doors.replies import Reply, answer
from dashboard.serving import client_address, request_log
from dashboard.serving.throttling import Tally, address_of
from routines.callers import authenticating
from routines.models import ApiKey
from routines.models import WhyNoRun as WhyRefused

_SCHEME = "bearer "
# A key cannot be guessed: this bounds what a caller that has gone wild costs us, and says so. It
# never holds up a good key, so it is looked at last, and each process may count for itself.
wrong_keys = Tally(tries=30, seconds=60)
_SENTENCES = {
    WhyRefused.REVOKED: "This API key was revoked. Ask an admin of the dashboard for a new one.",
    WhyRefused.EXPIRED: "This API key has expired. Ask an admin of the dashboard for a new one.",
}
_NO_KEY = "Send an API key of this dashboard: Authorization: Bearer rdk_..."
_WRONG_KEY = (
    "This is not an API key of this dashboard, or its secret was ended. Compare it with the one "
    "that you were given."
)
_WRONG_PLACE = (
    "This API key may not be used from your network address. Ask an admin of the dashboard to "
    "allow it, or call from an allowed one."
)


_TOO_MANY = (
    "Too many calls with a wrong API key came from your address. Look for a caller that still uses "
    "an old key, then call again after Retry-After seconds. A right key is not held up."
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
            return answer(request, refused.reply)
        _name(request, request.api_key)
        return view(request, *arguments, **named)

    return csrf_exempt(login_not_required(guarded))


def _name(request: HttpRequest, api_key: ApiKey) -> None:
    """In the log, also of a call that is refused."""
    request_log.name_person(request, f"API key {api_key.name}")


class _Refused(Exception):
    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        if status == 401:
            headers["WWW_Authenticate"] = "Bearer"
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        self.reply = Reply(status, sentence, said)


def _authenticate(request: HttpRequest) -> ApiKey:
    header = request.headers.get("Authorization", "")
    if not header.lower().startswith(_SCHEME):
        raise _Refused(401, _NO_KEY)
    presented = header[len(_SCHEME) :].strip()
    try:
        return authenticating.authenticate(presented, address=client_address.of(request))
    except authenticating.UnknownKey:
        seconds = wrong_keys.note(address_of(request))
        if seconds:
            raise _Refused(429, _TOO_MANY, Retry_After=str(seconds)) from None
        raise _Refused(401, _WRONG_KEY) from None
    except authenticating.KeyRefused as refused:
        _name(request, refused.api_key)
        if refused.why == WhyRefused.NETWORK:
            raise _Refused(403, _WRONG_PLACE) from None
        raise _Refused(401, _SENTENCES[refused.why]) from None
