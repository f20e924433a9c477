"""The fire-compatible door: the endpoint's own request, at our address with our API key.

A script that fires at claude.ai works here with another host and another token: requests, answers,
errors and headers are those of docs/fire-api.md. On top: Idempotency-Key, Prefer, and a `Location`
at which the run stands.
"""

import json
from typing import Any

from django.http import HttpResponse, JsonResponse

from dashboard.api import outcomes
from dashboard.api.authentication import DoorRequest, opened_by_key
from dashboard.api.preferences import wait_of
from dashboard.api.refusals import Refusal, answer, identified
from routines.callers import asking, idempotency
from routines.callers.asking import Wish
from routines.models import Routine
from routines.runs.accepting import RunNotRecorded
from routines.values import texts


class _BadRequest(Exception):
    """`str()` is a sentence for whoever wrote the caller."""


@opened_by_key
def fire(request: DoorRequest, reference: str) -> HttpResponse:
    if request.method != "POST":
        return answer(request, Refusal(405, "Fire with POST.", {"Allow": "POST"}))
    routine = Routine.objects.fireable_with(request.api_key).referred_to_as(reference).first()
    if routine is None:
        return answer(request, outcomes.NO_SUCH_ROUTINE)
    try:
        wish = Wish(routine, _text(request), _idempotency_key(request))
        press = asking.ask(request.api_key, wish, wait=wait_of(request))
    except (_BadRequest, idempotency.BadKey, texts.TextRefused) as refused:
        return answer(request, Refusal(400, str(refused)))
    except asking.TurnedAway as away:
        return answer(request, outcomes.turned_away(away))
    except RunNotRecorded as failed:
        return answer(request, outcomes.not_recorded(maybe=failed.maybe))
    refusal = outcomes.refusal_of(press.run)
    if refusal is not None:
        return answer(request, refusal)
    response = JsonResponse(
        {
            "type": "routine_fire",
            "claude_code_session_id": press.run.session_id,
            "claude_code_session_url": press.run.session_url,
        }
    )
    response.headers["Location"] = outcomes.address_of(press.run)
    return identified(response)


def _idempotency_key(request: DoorRequest) -> str:
    header = request.headers.get("Idempotency-Key")
    return "" if header is None else idempotency.read(header)


def _text(request: DoorRequest) -> str:
    """The body's `text`. Documented: the body is optional, and so is its one field."""
    if not request.body:
        return ""
    if request.content_type != "application/json":
        raise _BadRequest("Content-Type must be application/json")
    try:
        content: Any = json.loads(request.body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise _BadRequest("could not parse request body as JSON")
    text = content.get("text", "")
    if not isinstance(text, str):
        raise _BadRequest("text: Input should be a valid string")
    return text
