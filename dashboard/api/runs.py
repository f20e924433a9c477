"""Runs, for the API key that asked for them."""

from django.http import HttpResponse, JsonResponse

from dashboard.api import outcomes
from dashboard.api.authentication import DoorRequest, opened_by_key
from dashboard.api.refusals import Refusal, answer, identified
from routines.models import Run


@opened_by_key
def run(request: DoorRequest, pk: int) -> HttpResponse:
    found = Run.objects.filter(pk=pk, api_key=request.api_key).first()
    if found is None:
        return answer(request, Refusal(404, "This API key has no such run."))
    return identified(JsonResponse(outcomes.described(found)["run"]))
