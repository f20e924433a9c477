"""What the API takes and gives, each shape once: requests are read by these, answers are written by
them, and the document is made of them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import TextChoices
from msgspec import UNSET, Meta, Struct, UnsetType

from routines.runs import rules
from routines.values import texts
from routines.values.next_steps import Actor, Again
from routines.values.reasons import Reason, State

MOST_ROWS, USUAL_ROWS = 100, 25


Moment = Annotated[datetime, Meta(tz=True)]


def _one_of(choices: type[TextChoices]) -> dict[str, Any]:
    """msgspec writes and checks Django's choices, and leaves them out of schemas."""
    return {"type": "string", "enum": choices.values}


# --- Routines ---


class Field(Struct):
    """A field of a template. `kind`: line is one line of text, lines are several, choice is one of
    `choices`. `pattern`: what the whole value has to match, as RE2 has it."""

    name: Annotated[str, Meta(examples=["alert"])]
    label: Annotated[str, Meta(examples=["Alert"])]
    kind: Literal["line", "lines", "choice"]
    required: Annotated[bool, Meta(examples=[True])]
    default: Annotated[str, Meta(description="Taken if the value is left out.", examples=[""])]
    help: Annotated[str, Meta(examples=["As the monitoring names it."])]
    choices: Annotated[list[str], Meta(examples=[[]])]
    pattern: Annotated[str | None, Meta(examples=["[A-Z]{3}-[0-9]+"])]


class Template(Struct):
    """What a run's text may start from."""

    name: Annotated[str, Meta(description="Call it by this.", examples=["An alert"])]
    is_own: Annotated[
        bool, Meta(description="It belongs to the key's person alone.", examples=[False])
    ]
    is_json: Annotated[
        bool, Meta(description="The text is JSON; values are escaped in it.", examples=[False])
    ]
    fields: list[Field]


class Obstacle(Struct):
    """Why a routine cannot be fired at the moment."""

    reason: Annotated[str, Meta(examples=["on_hold"])]
    sentence: Annotated[str, Meta(examples=["The limit was reached, so this routine is on hold."])]
    until: Annotated[
        Moment | None, Meta(description="When it passes by itself; null: it does not.")
    ]


class Routine(Struct):
    """A routine that this key may fire."""

    slug: Annotated[str, Meta(examples=["triage-an-alert"])]
    routine_id: Annotated[str, Meta(examples=["trig_01ABCDEFGHJKLMNOPQRSTUVW"])]
    name: Annotated[str, Meta(examples=["Triage an alert"])]
    purpose: Annotated[str, Meta(examples=["Finds the cause and opens a pull request."])]
    tags: Annotated[list[str], Meta(examples=[["on call"]])]
    can_be_fired: Annotated[bool, Meta(description="By this key, at this moment.", examples=[True])]
    obstacle: Annotated[
        Obstacle | None, Meta(description="Why it cannot be fired.", examples=[None])
    ]
    needs_why: Annotated[
        bool,
        Meta(
            description="Each run says why, in a sentence. Asked of personal keys alone.",
            examples=[False],
        ),
    ]
    needs_confirmation: Annotated[
        bool,
        Meta(
            description="A person confirms each run, so no personal key can fire it.",
            examples=[False],
        ),
    ]
    templates: list[Template]
    url: Annotated[
        str, Meta(examples=["https://routines.example.com/api/routines/triage-an-alert"])
    ]
    runs_url: Annotated[
        str,
        Meta(
            description="Fire it with POST.",
            examples=["https://routines.example.com/api/routines/triage-an-alert/runs"],
        ),
    ]
    page: Annotated[
        str,
        Meta(
            description="Its form, for people.",
            examples=["https://routines.example.com/routines/triage-an-alert/run/"],
        ),
    ]


_NEXT = Meta(description="The address of the next page; null: this is the last.", examples=[None])


class RoutinePage(Struct):
    """Some of the routines, in the order in which they were registered."""

    items: list[Routine]
    next: Annotated[str | None, _NEXT]


# --- Runs ---


class RoutineReference(Struct):
    slug: Annotated[str, Meta(examples=["triage-an-alert"])]
    routine_id: Annotated[str, Meta(examples=["trig_01ABCDEFGHJKLMNOPQRSTUVW"])]
    name: Annotated[str, Meta(examples=["Triage an alert"])]


class Session(Struct):
    """What claude.ai made of the run. `url` is null where the answer had no link to claude.ai."""

    id: Annotated[str, Meta(examples=["session_01HJKLMNOPQRSTUVWXYZ"])]
    url: Annotated[
        str | None, Meta(examples=["https://claude.ai/code/session_01HJKLMNOPQRSTUVWXYZ"])
    ]


class Attempt(Struct):
    """One request to the endpoint that is over."""

    number: Annotated[int, Meta(examples=[1])]
    reason: Annotated[Reason, Meta(examples=["session_created"], extra_json_schema=_one_of(Reason))]
    claimed_at: Moment | None
    sent_at: Annotated[
        Moment | None, Meta(description="When its first byte left; null: none did, or unknown.")
    ]
    ended_at: Moment
    http_status: Annotated[int | None, Meta(examples=[200])]
    request_id: Annotated[str | None, Meta(description="The endpoint's.", examples=["req_01AB"])]


class Run(Struct):
    """One fire. Its `state` says whether a session was started, and nothing else does:

    accepted: it waits for its turn; sending: the request is on its way; started: there is a
    session; refused, not_sent: nothing was started; unknown: nobody knows.
    """

    id: Annotated[int, Meta(examples=[4711])]
    state: Annotated[State, Meta(examples=["started"], extra_json_schema=_one_of(State))]
    is_over: Annotated[bool, Meta(description="False: ask again in a moment.", examples=[True])]
    reason: Annotated[Reason, Meta(examples=["session_created"], extra_json_schema=_one_of(Reason))]
    sentence: Annotated[
        str, Meta(description="What happened, for people.", examples=["The session has started."])
    ]
    remedy: Annotated[
        str,
        Meta(
            description="What to do now, for people.",
            examples=["Open it to see how the work goes: a start is not yet a result."],
        ),
    ]
    who_acts: Annotated[
        Actor,
        Meta(
            description="teammate: whoever asked for the run.",
            examples=["teammate"],
            extra_json_schema=_one_of(Actor),
        ),
    ]
    again: Annotated[
        Again,
        Meta(
            description="May it be asked for once more, with a new Idempotency-Key? look_first: "
            "only when a person has looked whether there is a session.",
            examples=["new_run"],
            extra_json_schema=_one_of(Again),
        ),
    ]
    session: Annotated[
        Session | None,
        Meta(description="Of a started run. An unknown one may name one that is not its own."),
    ]
    routine: RoutineReference
    template: Annotated[str | None, Meta(examples=[None])]
    why: Annotated[str | None, Meta(examples=[None])]
    idempotency_key: Annotated[str | None, Meta(examples=["deploy-2041"])]
    created_at: Moment
    due_at: Annotated[
        Moment | None, Meta(description="While it waits: not before.", examples=[None])
    ]
    sent_at: Moment | None
    settled_at: Annotated[Moment | None, Meta(description="When its outcome was known.")]
    attempts: list[Attempt]
    url: Annotated[str, Meta(examples=["https://routines.example.com/api/runs/4711"])]
    cancel_url: Annotated[
        str | None,
        Meta(description="POST here cancels it; null: it is too late.", examples=[None]),
    ]
    page: Annotated[
        str,
        Meta(
            description="The run, for people.",
            examples=["https://routines.example.com/history/4711/"],
        ),
    ]


class RunPage(Struct):
    """Some of this key's runs, the newest first."""

    items: list[Run]
    next: Annotated[str | None, _NEXT]


# What no annotation can say, by the shape's name.
EXTRA = {"NewRun": {"oneOf": [{"required": ["text"]}, {"required": ["template"]}]}}


class NewRun(Struct, forbid_unknown_fields=True):
    """What to send: a text as it stands, or a template and its values. Exactly one of the two."""

    text: Annotated[
        Annotated[str, Meta(max_length=texts.MAX_CHARACTERS)] | UnsetType,
        Meta(
            description="Line breaks are sent as LF. It may be empty.",
            examples=["Alert SEN-4521 fired in production."],
        ),
    ] = UNSET
    template: Annotated[
        str | UnsetType, Meta(description="The template's name.", examples=["An alert"])
    ] = UNSET
    values: Annotated[
        dict[str, str] | UnsetType,
        Meta(
            description="Of the template's fields, by their names.",
            examples=[{"alert": "SEN-4521"}],
        ),
    ] = UNSET
    why: Annotated[
        Annotated[str, Meta(max_length=rules.LONGEST_REASON)] | UnsetType,
        Meta(
            description="One sentence, kept with the run.",
            examples=["The alert fired twice."],
        ),
    ] = UNSET


# --- Everything else ---


class Key(Struct):
    """The API key of this call."""

    name: Annotated[str, Meta(examples=["Alerting"])]
    is_personal: Annotated[bool, Meta(examples=[False])]
    needs_idempotency_key: Annotated[bool, Meta(examples=[True])]
    expires_at: Annotated[Moment | None, Meta(examples=[None])]
    hourly_cap: Annotated[int, Meta(description="Runs in a sliding hour.", examples=[30])]
    daily_cap: Annotated[int, Meta(description="Runs in a sliding day.", examples=[200])]


class Index(Struct):
    """Where everything is."""

    key: Key
    routines: Annotated[str, Meta(examples=["https://routines.example.com/api/routines"])]
    runs: Annotated[str, Meta(examples=["https://routines.example.com/api/runs"])]
    document: Annotated[str, Meta(examples=["https://routines.example.com/api/openapi.json"])]
    docs: Annotated[str, Meta(examples=["https://routines.example.com/api/docs"])]


class Mistake(Struct):
    """One thing that is wrong in a request. `pointer`: where in its body (RFC 6901)."""

    detail: Annotated[str, Meta(examples=["Fill in “Alert”."])]
    pointer: Annotated[str | UnsetType, Meta(examples=["#/values/alert"])] = UNSET
    parameter: Annotated[
        str | UnsetType, Meta(description="Or which parameter of its address.", examples=["size"])
    ] = UNSET


class Problem(Struct):
    """Why a request was refused (RFC 9457), in a sentence that says what to do."""

    type: Annotated[str, Meta(examples=["about:blank"])]
    title: Annotated[str, Meta(examples=["invalid request"])]
    status: Annotated[int, Meta(examples=[422])]
    detail: Annotated[str, Meta(examples=["The body has a mistake. Nothing was sent."])]
    request_id: Annotated[
        str, Meta(description="It is in the dashboard's log.", examples=["req_4f2a"])
    ]
    errors: list[Mistake] | UnsetType = UNSET
    run: Annotated[
        Run | UnsetType, Meta(description="The run that this is about, if there is one.")
    ] = UNSET


class RoutinesQuery(Struct, forbid_unknown_fields=True):
    cursor: Annotated[
        str, Meta(max_length=40, description="Taken from `next`; made by the dashboard.")
    ] = ""
    size: Annotated[int, Meta(ge=1, le=MOST_ROWS, description="Items of a page.")] = USUAL_ROWS


class RunsQuery(Struct, forbid_unknown_fields=True):
    cursor: Annotated[
        str, Meta(max_length=40, description="Taken from `next`; made by the dashboard.")
    ] = ""
    size: Annotated[int, Meta(ge=1, le=MOST_ROWS, description="Items of a page.")] = USUAL_ROWS
    state: Annotated[
        State | UnsetType, Meta(description="Of this state.", extra_json_schema=_one_of(State))
    ] = UNSET
    routine: Annotated[
        str, Meta(max_length=200, description="Of this routine, by its slug or routine ID.")
    ] = ""
    idempotency_key: Annotated[
        str, Meta(max_length=255, description="Made with this Idempotency-Key.")
    ] = ""


# --- The fire-compatible door ---


class Fire(Struct):
    """The endpoint's request. What else stands in it is left alone."""

    text: Annotated[
        str,
        Meta(
            max_length=texts.MAX_CHARACTERS,
            pattern="^[^\\x00]*$",  # for readers of the document: bodies.py reads the request
            examples=["Alert SEN-4521 fired in production."],
        ),
    ] = ""


class Fired(Struct):
    """The endpoint's answer."""

    type: Literal["routine_fire"]
    claude_code_session_id: Annotated[str, Meta(examples=["session_01HJKLMNOPQRSTUVWXYZ"])]
    claude_code_session_url: Annotated[
        str, Meta(examples=["https://claude.ai/code/session_01HJKLMNOPQRSTUVWXYZ"])
    ]


class FireRun(Struct):
    """The run that a call made. `url`: for programs with the same key; `page`: for people."""

    id: Annotated[int, Meta(examples=[4711])]
    state: Annotated[State, Meta(examples=["accepted"], extra_json_schema=_one_of(State))]
    reason: Annotated[Reason, Meta(examples=["accepted"], extra_json_schema=_one_of(Reason))]
    url: Annotated[str, Meta(examples=["https://routines.example.com/api/runs/4711"])]
    page: Annotated[str, Meta(examples=["https://routines.example.com/history/4711/"])]


class FireAccepted(Struct):
    """Our own: the run is not over yet."""

    type: Literal["routine_fire_accepted"]
    message: Annotated[str, Meta(examples=["It is recorded and waits for its turn."])]
    request_id: Annotated[str, Meta(examples=["req_4f2a"])]
    run: FireRun


class FireErrorContent(Struct):
    type: Annotated[str, Meta(examples=["invalid_request_error"])]
    message: Annotated[str, Meta(examples=["The routine is paused at claude.ai."])]


class FireError(Struct):
    """The endpoint's error envelope. `run`: the run that was made, where there is one."""

    type: Literal["error"]
    error: FireErrorContent
    request_id: Annotated[str, Meta(examples=["req_4f2a"])]
    run: FireRun | UnsetType = UNSET
