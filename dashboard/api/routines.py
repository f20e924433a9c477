"""The routines that a key may fire."""

from dashboard.api import links, reading
from dashboard.api.operations import Answer, operation
from dashboard.api.schemas import Field, Obstacle, Routine, RoutinePage, RoutinesQuery, Template
from dashboard.doors import outcomes
from dashboard.doors.authentication import DoorRequest
from dashboard.doors.replies import Refused
from routines.callers import offers
from routines.callers.offers import Offer
from routines.models import TextTemplate
from routines.models import WhyNoRun as Why

_LARGEST_KEY = 18  # digits

NOT_YOURS = "There is no such routine for this API key."


@operation("GET", {200: RoutinePage}, query=RoutinesQuery)
def list_routines(request: DoorRequest, query: RoutinesQuery) -> Answer:
    """List the routines that this key may fire.

    With their templates, and whether each can be fired at this moment. Archived ones are left out.
    """
    after = query.cursor or "0"
    if not (after.isascii() and after.isdigit() and len(after) <= _LARGEST_KEY):
        raise reading.bad_parameter("cursor", "This cursor is not one that was given here.")
    found = offers.following(request.api_key, after=int(after), most=query.size + 1)
    shown = found[: query.size]
    more = str(shown[-1].routine.pk) if len(found) > len(shown) else None
    items = [_described(offer) for offer in shown]
    return Answer(RoutinePage(items, links.next_page("api_routines", query, more)))


@operation("GET", {200: Routine}, says={404: NOT_YOURS})
def show_routine(request: DoorRequest, reference: str) -> Answer:
    """Show one routine, by its slug or its routine ID."""
    offer = offers.of(request.api_key, reference)
    if offer is None:
        raise Refused(outcomes.NO_SUCH_ROUTINE)
    return Answer(_described(offer))


def _described(offer: Offer) -> Routine:
    routine, obstacle = offer.routine, _obstacle(offer)
    return Routine(
        slug=routine.slug,
        routine_id=routine.routine_id,
        name=routine.name,
        purpose=routine.purpose,
        tags=[tag.name for tag in routine.tags.all()],
        can_be_fired=obstacle is None,
        obstacle=obstacle,
        needs_why=offer.needs_why,
        needs_confirmation=offer.needs_person,
        templates=[_template(one) for one in offer.templates],
        url=links.address("api_routine", routine.reference),
        runs_url=links.address("api_routine_runs", routine.reference),
        page=links.address("run", routine.slug),
    )


def _obstacle(offer: Offer) -> Obstacle | None:
    if offer.obstacle is not None:
        sentence = f"{offer.obstacle.cause} {offer.obstacle.meaning.remedy}"
        return Obstacle(offer.obstacle.reason.value, sentence, offer.obstacle.until)
    if offer.needs_person:
        sentence = "It wants a person's confirmation before each run. Run it on the dashboard."
        return Obstacle(Why.ASKS_A_PERSON.value, sentence, None)
    return None


def _template(template: TextTemplate) -> Template:
    return Template(
        name=template.name,
        is_own=template.owner_id is not None,
        is_json=template.is_json,
        fields=[
            Field(
                name=field.name,
                label=field.title,
                kind=field.kind,  # type: ignore[arg-type]  # one of Kind, as it was stored
                required=field.required,
                default=field.default,
                help=field.help,
                choices=list(field.choices),
                pattern=field.pattern or None,
            )
            for field in template.form_fields
        ],
    )
