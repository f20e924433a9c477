"""The fire-compatible door: the endpoint's own request, at our address with our API key.

A script that fires at claude.ai works here with another host and another token: requests, answers,
errors and headers are those of docs/fire-api.md. On top: Idempotency-Key, Prefer, and a `Location`
at which the run stands. docs/api.md is the same for whoever writes such a script.
"""

from django.http import HttpResponse, JsonResponse

from dashboard.doors import outcomes, preferences
from dashboard.doors.authentication import DoorRequest, opened_by_key
from dashboard.doors.replies import Reply, answer, identified
from dashboard.fire_door import bodies
from routines.callers import asking, idempotency, offers, turned_away
from routines.callers.asking import Wish
from routines.models import WhyNoRun as Why
from routines.runs.accepting import RunNotRecorded
from routines.runs.firing import Press
from routines.values import texts


@opened_by_key
def fire(request: DoorRequest, reference: str) -> HttpResponse:
    if request.method != "POST":
        return answer(request, Reply(405, "Fire with POST.", {"Allow": "POST"}))
    try:
        key = _idempotency_key(request)
    except idempotency.BadKey as bad:
        return _refuse_bad_request(request, str(bad))
    routine = offers.routine(request.api_key, reference, idempotency_key=key)
    if routine is None:
        turned_away.note(request.api_key, Why.NOT_OPEN)
        return answer(request, outcomes.NO_SUCH_ROUTINE)
    wait = preferences.wait_of(request)
    try:
        wish = Wish(routine, bodies.text_of(request), key)
        press = asking.ask(request.api_key, wish, wait=wait)
    except bodies.BadBody as bad:
        return _refuse_bad_request(request, str(bad), bad.status)
    except texts.TextRefused as refused:
        return _refuse_bad_request(request, str(refused))
    except asking.TurnedAway as away:
        return answer(request, outcomes.turned_away(away))
    except RunNotRecorded as failed:
        return answer(request, outcomes.not_recorded(maybe=failed.maybe))
    response = _outcome(request, press)
    if press.repeated:
        response.headers["Idempotent-Replayed"] = "true"
    waited = preferences.applied(wait)
    if waited is not None:
        response.headers["Preference-Applied"] = waited
    return response


@opened_by_key
def elsewhere(request: DoorRequest) -> HttpResponse:
    """Every other address below /v1/."""
    return answer(request, Reply(404, "Not found. Fire at /v1/claude_code/routines/ID/fire."))


def _idempotency_key(request: DoorRequest) -> str:
    header = request.headers.get("Idempotency-Key")
    return "" if header is None else idempotency.read(header)


def _refuse_bad_request(request: DoorRequest, sentence: str, status: int = 400) -> HttpResponse:
    turned_away.note(request.api_key, Why.BAD_REQUEST)
    return answer(request, Reply(status, sentence))


def _outcome(request: DoorRequest, press: Press) -> HttpResponse:
    reply = outcomes.reply_about(press.run)
    if reply is not None:
        return answer(request, reply)
    response = JsonResponse(
        {
            "type": "routine_fire",
            "claude_code_session_id": press.run.session_id,
            "claude_code_session_url": press.run.session_url,
        }
    )
    response.headers["Location"] = outcomes.address_of(press.run)
    return identified(response)
