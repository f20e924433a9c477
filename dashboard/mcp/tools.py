"""The tools. Each answers with what is known; what it cannot do it says in a sentence.

A tool never runs in a transaction: firing commits the run before anything is sent.
"""

import logging
from typing import cast

from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse
from django_mcpz.server import MCPServer, ToolError

from dashboard.doors import outcomes, replies
from dashboard.doors.authentication import DoorRequest
from dashboard.mcp import shapes
from routines.callers import asking, idempotency, offers, rendering
from routines.callers.asking import Wish
from routines.models import ApiKey, Routine, Run, WhyNoRun
from routines.runs import overdue, queue
from routines.runs.accepting import RunNotRecorded
from routines.values import texts
from routines.values.reasons import State

logger = logging.getLogger(__name__)

_INSTRUCTIONS = (
    "Fire Claude Code routines of this team, as the person whose key you carry. Each fire starts a "
    "session that spends a subscription and may change repositories: fire only what the user "
    "asked for, once. Look with list_routines first. Give fire_routine an idempotency_key that is "
    "new for each thing the user wants done, and repeat a call that failed or got no answer with "
    "the same key: it never fires twice. Where an outcome is unknown, a session may exist: do not "
    "fire again, ask the user to look."
)
_NOT_AN_AGENTS = (
    "This is a team key, which belongs to no person. An agent acts as somebody: make a personal "
    "key on the dashboard and use that one."
)
_MOST_PROBLEMS = 40  # a template has 30 fields


def _acts_as_a_person(request: HttpRequest) -> HttpResponse | None:
    if _key_of(request).is_personal:
        return None
    return replies.answer(request, replies.Reply(403, _NOT_AN_AGENTS))


server = MCPServer(
    name="routine-dashboard",
    title="Routine dashboard",
    version="1",
    description="Claude Code routines of the team: list them, fire them, follow their runs.",
    instructions=_INSTRUCTIONS,
    auth=_acts_as_a_person,
)


@server.tool(
    title="List routines",
    description=(
        "The routines that you may fire, each with its text templates and their fields, what it "
        "asks first, and whether it can be fired now."
    ),
    read_only=True,
    open_world=False,
)
def list_routines(request: HttpRequest, asked: shapes.Search) -> shapes.Routines:
    most = shapes.MOST_ROUTINES
    found = offers.following(_key_of(request), most=most + 1, search=asked.search)
    shown = [shapes.OfferedRoutine.of(offer) for offer in found[:most]]
    return shapes.Routines(shown, has_more=len(found) > most)


@server.tool(
    title="Fire a routine",
    description=(
        "Start a session of a routine, with a text or with a template and its values. It spends "
        "the owner's subscription and may change things outside; it cannot be undone. Waits for "
        "the answer: the session's URL, or in a sentence what is known and what to do."
    ),
    read_only=False,
    destructive=True,
    idempotent=True,  # by the idempotency_key, which it requires
    open_world=True,
)
def fire_routine(request: HttpRequest, asked: shapes.Fire) -> shapes.RunAnswer:
    api_key = _key_of(request)
    try:
        key = idempotency.read(asked.idempotency_key)
    except idempotency.BadKey as bad:
        raise ToolError(f"{bad} Nothing was sent by this call.") from None
    routine = offers.routine(api_key, asked.routine, idempotency_key=key)
    if routine is None:
        raise ToolError("There is no such routine for this API key. Look with list_routines.")
    try:
        press = asking.ask(api_key, _wish(api_key, routine, asked, key), wait=None)
    except texts.TextRefused as refused:
        raise ToolError(f"{refused} Nothing was sent by this call.") from None
    except rendering.NoSuchTemplate as refused:
        raise ToolError(f"{refused} Nothing was sent by this call.") from None
    except rendering.ValuesRefused as refused:
        raise ToolError(_with_problems(refused)) from None
    except asking.TurnedAway as away:
        raise ToolError(_turned_away(away, routine)) from None
    except RunNotRecorded as failed:
        raise ToolError(shapes.for_agents(outcomes.not_recorded(maybe=failed.maybe))) from None
    except DatabaseFailure:
        logger.exception("the database failed while a routine was fired")
        raise ToolError(shapes.for_agents(outcomes.not_recorded(maybe=True))) from None
    run = press.run
    if run.is_open or run.state == State.STARTED:
        return shapes.RunAnswer.of(run)
    raise ToolError(f"Run {run.pk}, {run.get_state_display()}: {shapes.known(run)}")


@server.tool(
    title="Look at a run",
    description=(
        "The state of a run that this key asked for, its session, and what is known of it. How the "
        "session's work went is not known here."
    ),
    read_only=True,
    open_world=False,
)
def get_run(request: HttpRequest, asked: shapes.OneRun) -> shapes.RunAnswer:
    return shapes.RunAnswer.of(_run(request, asked.run_id))


@server.tool(
    title="List the last runs",
    description="The last runs that this key asked for, newest first.",
    read_only=True,
    open_world=False,
)
def list_runs(request: HttpRequest, asked: shapes.LastRuns) -> shapes.Runs:
    overdue.settle()
    theirs = Run.objects.asked_for_with(_key_of(request)).select_related("routine")
    newest = theirs.order_by("-created_at", "-pk")[: asked.limit]
    return shapes.Runs([shapes.RunAnswer.of(run) for run in newest])


@server.tool(
    title="Cancel a waiting run",
    description=(
        "Cancel a run of this key that is accepted and still waits. One that has been sent cannot "
        "be cancelled."
    ),
    read_only=False,
    destructive=True,
    idempotent=True,
    open_world=False,
)
def cancel_run(request: HttpRequest, asked: shapes.OneRun) -> shapes.RunAnswer:
    queue.cancel(_run(request, asked.run_id), by=_key_of(request))
    run = _run(request, asked.run_id)
    if run.state == State.NOT_SENT:
        return shapes.RunAnswer.of(run)
    raise ToolError(f"It no longer waits, so it was not cancelled. {shapes.known(run)}")


def _key_of(request: HttpRequest) -> ApiKey:
    return cast(DoorRequest, request).api_key


def _run(request: HttpRequest, pk: int) -> Run:
    overdue.settle()
    theirs = Run.objects.asked_for_with(_key_of(request)).select_related("routine")
    run = theirs.filter(pk=pk).order_by().first()
    if run is None:
        raise ToolError("This API key has no such run. Look with list_runs.")
    return run


def _wish(api_key: ApiKey, routine: Routine, asked: shapes.Fire, key: str) -> Wish:
    if asked.template is None:
        if asked.values:
            raise ToolError("Values belong to a template: name it. Nothing was sent by this call.")
        return Wish(routine, asked.text or "", key, why=asked.why)
    if asked.text:
        raise ToolError(
            "Give either a text or a template with its values. Nothing was sent by this call."
        )
    return rendering.wish(
        api_key,
        routine,
        template=asked.template,
        values=asked.values or {},
        why=asked.why,
        idempotency_key=key,
    )


def _with_problems(refused: rendering.ValuesRefused) -> str:
    problems = [f"{name or 'text'}: {said}" for name, said in refused.problems.items()]
    return " ".join([str(refused), *problems[:_MOST_PROBLEMS], "Nothing was sent by this call."])


def _turned_away(away: asking.TurnedAway, routine: Routine) -> str:
    if away.why == WhyNoRun.ASKS_A_PERSON:
        if "confirmation" in away.problems:
            return (
                "This routine wants a person's confirmation before each run, so you cannot fire "
                "it. Nothing was sent. Give the user its run form: "
                f"{outcomes.run_form_of(routine)}"
            )
        return " ".join(away.problems.values())
    reply = outcomes.turned_away(away)
    sentence = shapes.for_agents(reply)
    if away.obstacle is not None and away.obstacle.until is not None:
        seconds = reply.headers["Retry-After"]
        sentence = f"{away.obstacle.meaning.cause} Call again after {seconds} seconds."
    if away.run is not None:
        return f"{sentence} The used one belongs to run {away.run.pk}."
    return sentence
