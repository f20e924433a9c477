"""What the tools take and give, described for whoever reads their schemas."""

from typing import Annotated

import msgspec
from msgspec import Meta

from dashboard.doors import outcomes
from dashboard.doors.replies import Reply
from routines.callers.offers import Offer
from routines.models import Run, TextTemplate
from routines.runs import rules
from routines.text_templates import Field

MOST_ROUTINES = 50  # in one answer; the agent searches for the others
MOST_RUNS = 50

RunId = Annotated[int, Meta(ge=1, le=2**63 - 1, description="The run_id that fire_routine gave.")]


# --- What goes in ---


class Search(msgspec.Struct):
    search: Annotated[
        str, Meta(max_length=200, description="Words from the name, purpose or tags. Empty: all.")
    ] = ""


class Fire(msgspec.Struct):
    routine: Annotated[
        str, Meta(max_length=200, description="The slug or the routine ID from list_routines.")
    ]
    idempotency_key: Annotated[
        str,
        Meta(
            description="1 to 255 printable ASCII characters of your choice: new for each thing "
            "that the user wants done, the same when you repeat a call whose answer you did not "
            "get. The same key never fires twice."
        ),
    ]
    text: Annotated[
        str | None,
        Meta(
            description="What is sent along, at most 65,536 characters. Leave it out with a "
            "template."
        ),
    ] = None
    template: Annotated[
        str | None, Meta(description="The name of one of the routine's templates.")
    ] = None
    values: Annotated[
        dict[str, str] | None,
        Meta(description="Values of the template's fields, by their names."),
    ] = None
    why: Annotated[
        str,
        Meta(
            max_length=rules.LONGEST_REASON,
            description="Why it is run, in a sentence, where needs_why is true.",
        ),
    ] = ""


class OneRun(msgspec.Struct):
    run_id: RunId


class LastRuns(msgspec.Struct):
    limit: Annotated[int, Meta(ge=1, le=MOST_RUNS, description="How many, newest first.")] = 10


# --- What comes out ---


class OfferedField(msgspec.Struct, omit_defaults=True):
    name: str
    label: str
    required: bool
    kind: Annotated[str, Meta(description="line, lines, or choice")]
    help: str = ""
    default: str = ""
    choices: list[str] = []

    @classmethod
    def of(cls, field: Field) -> "OfferedField":
        return cls(
            name=field.name,
            label=field.title,
            required=field.required,
            kind=str(field.kind),
            help=field.help,
            default=field.default,
            choices=list(field.choices),
        )


class OfferedTemplate(msgspec.Struct):
    name: str
    fields: list[OfferedField]

    @classmethod
    def of(cls, template: TextTemplate) -> "OfferedTemplate":
        return cls(template.name, [OfferedField.of(field) for field in template.form_fields])


class OfferedRoutine(msgspec.Struct):
    slug: str
    name: str
    purpose: str
    routine_id: str
    templates: list[OfferedTemplate]
    needs_confirmation: Annotated[
        bool, Meta(description="A person confirms each run on the dashboard: you cannot fire it.")
    ]
    needs_why: bool
    can_be_fired_now: bool
    obstacle: Annotated[str, Meta(description="Why it cannot be fired now; else empty.")]
    run_form: Annotated[str, Meta(description="Where a person runs it.")]

    @classmethod
    def of(cls, offer: Offer) -> "OfferedRoutine":
        routine = offer.routine
        obstacle = ""
        if offer.obstacle is not None:
            obstacle = f"{offer.obstacle.cause} {offer.obstacle.meaning.remedy}"
        elif offer.needs_person:
            obstacle = "A person has to confirm each run on the dashboard: see run_form."
        return cls(
            slug=routine.reference,
            name=routine.name,
            purpose=routine.purpose,
            routine_id=routine.routine_id,
            templates=[OfferedTemplate.of(template) for template in offer.templates],
            needs_confirmation=offer.needs_person,
            needs_why=offer.needs_why,
            can_be_fired_now=not obstacle,
            obstacle=obstacle,
            run_form=outcomes.run_form_of(routine),
        )


class Routines(msgspec.Struct):
    routines: list[OfferedRoutine]
    has_more: Annotated[bool, Meta(description="There are more: search for fewer.")]


class RunAnswer(msgspec.Struct):
    run_id: int
    routine: Annotated[str, Meta(description="Its slug.")]
    state: Annotated[
        str, Meta(description="accepted, sending, started, refused, not_sent or unknown")
    ]
    known: Annotated[str, Meta(description="What is known of it, and what to do.")]
    session_url: Annotated[str | None, Meta(description="Where a person follows the session.")]
    session_id: str | None
    idempotency_key: str
    asked_at: str
    page: Annotated[str, Meta(description="The run on the dashboard, for a person.")]

    @classmethod
    def of(cls, run: Run) -> "RunAnswer":
        return cls(
            run_id=run.pk,
            routine=run.routine.slug,
            state=str(run.state),
            known=known(run),
            session_url=run.session_url or None,
            session_id=run.session_id or None,
            idempotency_key=run.idempotency_key,
            asked_at=run.created_at.isoformat(timespec="seconds"),
            page=outcomes.page_of(run),
        )


class Runs(msgspec.Struct):
    runs: list[RunAnswer]


def known(run: Run) -> str:
    """In plain words, for an agent: what is known of the run, and what to do about it."""
    reply = outcomes.reply_about(run)
    if reply is not None:
        return for_agents(reply)
    return (
        "A session was started. Whether its work succeeds is not known here: give the user the "
        "session's URL."
    )


def for_agents(reply: Reply) -> str:
    """An agent sees no headers, and gives its key as an argument."""
    seconds = f"{reply.headers.get('Retry-After', '60')} seconds"
    said = reply.sentence.replace("Retry-After seconds", seconds)
    return said.replace("Idempotency-Key", "idempotency_key")
