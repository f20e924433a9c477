"""The runs of a key: made, looked at, cancelled."""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from dashboard.api import links, reading, run_answers
from dashboard.api.operations import Answer, Header, operation
from dashboard.api.routines import NOT_YOURS
from dashboard.api.schemas import NewRun, Run, RunPage, RunsQuery
from dashboard.doors import outcomes, preferences
from dashboard.doors.authentication import DoorRequest
from dashboard.doors.replies import BadRequest, Refused, Reply
from routines import keyset
from routines.callers import asking, idempotency, offers, rendering, turned_away
from routines.callers.asking import Wish
from routines.callers.rendering import NoSuchTemplate, ValuesRefused
from routines.models import Routine
from routines.models import Run as StoredRun
from routines.models import WhyNoRun as Why
from routines.models.run_queryset import RunQuerySet
from routines.runs import overdue, queue
from routines.runs.accepting import RunNotRecorded
from routines.values import texts

NO_SUCH_RUN = Reply(
    404, "This API key has no such run. A key sees the runs that it has asked for itself."
)
IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "New for each intent, the same when you repeat it: the same key is the same run, hours later, "
    "too. Required if the API key was made for a caller that sends one.",
    "deploy-2041",
    idempotency.LONGEST,
)
PREFER = Header(
    "Prefer",
    "`respond-async`: do not wait for the outcome; the run then also waits out a hold, and tries "
    "again where nothing was started, for up to an hour. `wait=10`: wait for so many seconds.",
    "respond-async",
)


@operation("GET", {200: RunPage}, query=RunsQuery)
def list_runs(request: DoorRequest, query: RunsQuery) -> Answer:
    """List the runs of this key, the newest first.

    Runs that are made meanwhile are on no later page: read the first page again to see them.
    """
    overdue.settle()
    found = _runs_of(request)
    if query.state is not UNSET:
        found = found.filter(state=query.state)
    if query.routine:
        found = found.filter(routine__in=Routine.objects.referred_to_as(query.routine).values("pk"))
    if query.idempotency_key:
        found = found.filter(idempotency_key=query.idempotency_key)
    try:
        page = keyset.page(found, at="created_at", size=query.size, before=query.cursor)
    except keyset.BadCursor:
        sentence = "This cursor is not one that was given here."
        raise reading.bad_parameter("cursor", sentence) from None
    items = [run_answers.described(run) for run in page.rows]
    return Answer(RunPage(items, links.next_page("api_runs", query, page.older)))


@operation("GET", {200: Run}, says={404: NO_SUCH_RUN.sentence})
def show_run(request: DoorRequest, pk: int) -> Answer:
    """Show a run of this key.

    While it is not over, `Retry-After` says after how many seconds to ask again.
    """
    overdue.settle()
    return run_answers.shown(_run(request, pk))


@operation(
    "POST",
    {200: Run},
    says={404: NO_SUCH_RUN.sentence, 409: "It is too late: the run no longer waits."},
)
def cancel_run(request: DoorRequest, pk: int) -> Answer:
    """Cancel a run that is still accepted.

    Nothing was sent, and nothing will be. Repeating the call changes nothing.
    """
    overdue.settle()
    run = _run(request, pk)
    if run.is_waiting and queue.cancel(run, by=request.api_key):
        return run_answers.shown(run)
    run = _run(request, pk)
    if run.reason == "cancelled":
        return run_answers.shown(run)
    sentence = f"The run is {run.state} and cannot be cancelled any more. {run.meaning.cause}"
    raise Refused(Reply(409, sentence, {}, run_answers.beside(run)))


@operation(
    "POST",
    {201: Run, 202: Run},
    says={
        201: "A session was started.",
        202: "The run is accepted or being sent. Look at `Location` for what comes of it.",
        404: NOT_YOURS,
        422: "Something is wrong in the body, named in `errors`; or the Idempotency-Key was used "
        "for another request.",
        424: "There is a run, and it started nothing: it was refused, or never sent.",
        429: "A cap or a hold; `Retry-After` says how long. There is no run.",
        503: "The database does not take the run. Nothing was sent.",
        504: "Nobody knows whether a session was started: do not ask again before a person has "
        "looked. Repeating the call with its Idempotency-Key is safe.",
    },
    body=NewRun,
    headers=(IDEMPOTENCY_KEY, PREFER),
)
def make_run(request: DoorRequest, reference: str, body: NewRun) -> Answer:
    """Fire a routine: make a run from a text, or from a template and its values.

    It waits for the outcome. The status alone says whether there is a session: 201 says so, 202
    that it is not over, and nothing else does.
    """
    try:
        key = _idempotency_key(request)
    except idempotency.BadKey as bad:
        raise BadRequest(Reply(400, f"{bad} Nothing was sent.")) from None
    routine = offers.routine(request.api_key, reference, idempotency_key=key)
    if routine is None:
        turned_away.note(request.api_key, Why.NOT_OPEN)
        raise Refused(outcomes.NO_SUCH_ROUTINE)
    wait = preferences.wait_of(request)
    try:
        press = asking.ask(request.api_key, _wish(request, routine, body, key), wait=wait)
    except texts.TextRefused as refused:
        raise reading.refused({"text": str(refused)}) from None
    except NoSuchTemplate as refused:
        raise reading.refused({"template": str(refused)}) from None
    except ValuesRefused as refused:
        raise reading.refused(refused.problems, within="values") from None
    except asking.TurnedAway as away:
        raise _turned_away(away) from None
    except RunNotRecorded as failed:
        raise Refused(outcomes.not_recorded(maybe=failed.maybe)) from None
    headers = {"Idempotent-Replayed": "true"} if press.repeated else {}
    waited = preferences.applied(wait)
    if waited is not None:
        headers["Preference-Applied"] = waited
    return run_answers.made(press.run, headers)


def _idempotency_key(request: DoorRequest) -> str:
    header = request.headers.get("Idempotency-Key")
    return "" if header is None else idempotency.read(header)


def _wish(request: DoorRequest, routine: Routine, body: NewRun, key: str) -> Wish:
    why = "" if body.why is UNSET else body.why
    if (body.text is UNSET) == (body.template is UNSET):
        sentence = "Send either text or template, and not both."
        raise reading.refused({"text": sentence})
    if body.text is not UNSET:
        if body.values is not UNSET:
            raise reading.refused({"values": "Values belong to a template. Take them out."})
        return Wish(routine, body.text, key, why)
    return rendering.wish(
        request.api_key,
        routine,
        template=str(body.template),
        values=_values(body),
        why=why,
        idempotency_key=key,
    )


def _values(body: NewRun) -> Mapping[str, str]:
    return {} if body.values is UNSET else body.values


def _turned_away(away: asking.TurnedAway) -> Refused:
    if away.why == Why.ASKS_A_PERSON and "confirmation" not in away.problems:
        return Refused(reading.refused(away.problems).reply)
    reply = outcomes.turned_away(away)
    more: dict[str, Any] = {} if away.run is None else run_answers.beside(away.run)
    return Refused(Reply(reply.status, reply.sentence, reply.headers, more))


def _runs_of(request: DoorRequest) -> RunQuerySet:
    return (
        StoredRun.objects.asked_for_with(request.api_key)
        .select_related("routine")
        .prefetch_related("attempts")
        .defer("text", "error_message", "outcome_note", "field_values")
    )


def _run(request: DoorRequest, pk: int) -> StoredRun:
    found = _runs_of(request).filter(pk=pk).order_by().first()
    if found is None:
        raise Refused(NO_SUCH_RUN)
    return found
