"""Plain functions that make what tests need, every value with a default."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.utils import timezone

from routines import registry
from routines.callers import keys
from routines.models import ApiKey, Header, HeaderVersion, Person, Routine, Run
from routines.people import roles
from routines.practice_api import PracticeApi
from routines.registry import header_versions
from routines.values import tokens
from routines.values.reasons import MEANINGS, OPEN, SENT, Reason, State

_number = count(1)
PASSWORD = "correct horse battery staple"


def create_person(*roles_held: roles.Role, username: str = "") -> Person:
    username = username or f"person-{next(_number)}"
    person = Person.objects.create_user(username, password=PASSWORD)
    for role in roles_held:
        roles.give(person, role)
    return Person.objects.get(pk=person.pk)  # without cached permissions


def create_teammate(**values: Any) -> Person:
    return create_person(roles.Role.TEAMMATE, **values)


def create_manager(**values: Any) -> Person:
    return create_person(roles.Role.MANAGER, **values)


def create_admin(**values: Any) -> Person:
    return create_person(roles.Role.ADMIN, **values)


def create_routine(
    *,
    name: str = "",
    routine_id: str = "",
    account: str = "Platform account",
    token: str | None = "",
    template: str | None = None,
    **values: Any,
) -> Routine:
    """With the token that the practice API expects; `token=None` for none at all."""
    number = next(_number)
    routine_id = routine_id or f"trig_test_{number}"
    plain = PracticeApi().token_for(routine_id) if token == "" else token
    routine = registry.register(
        name=name or f"Routine {number}",
        purpose="What it is for.",
        routine_id=routine_id,
        account=account,
        beta_version=values.pop("beta_version", header_versions.BETA_VERSION),
        api_version=values.pop("api_version", header_versions.API_VERSION),
        token=tokens.parse(plain) if plain else None,
        by=None,
    )
    if template is not None:
        registry.add_template(routine, name="The template", body=template, by=None)
    if values:
        Routine.objects.filter(pk=routine.pk).update(**values)
        routine.refresh_from_db()
    return routine


def create_api_key(*, name: str = "", person: Person | None = None, **values: Any) -> ApiKey:
    """Without a secret: create_key_and_secret makes one that a caller can use."""
    return ApiKey.objects.create(name=name or f"Key {next(_number)}", person=person, **values)


def create_key_and_secret(
    *routines: Routine, name: str = "", person: Person | None = None, **terms: Any
) -> tuple[ApiKey, str]:
    """A key for these routines, or a personal one for all that the person may run, and its text."""
    name = name or f"Key {next(_number)}"
    if person is not None and not routines:
        terms.setdefault("all_routines", True)
    terms = {"sends_idempotency_key": False} | terms
    api_key, secret = keys.make(
        keys.Terms(name=name, routines=routines, **terms),
        person=person,
        by=person or create_admin(),
    )
    return api_key, secret.reveal()


def create_run(
    *,
    routine: Routine | None = None,
    person: Person | None = None,
    api_key: ApiKey | None = None,
    reason: Reason = Reason.SESSION_CREATED,
    ago: timedelta = timedelta(0),
    **values: Any,
) -> Run:
    """By an API key, if there is one: of a personal key its person's as well."""
    state = MEANINGS[reason].state
    if person is None:
        person = create_teammate() if api_key is None else api_key.person
    pressed = timezone.now() - ago
    if state == State.STARTED and "session_id" not in values:
        values["session_id"] = f"session_01TEST{next(_number)}"
        values["session_url"] = f"https://claude.ai/code/{values['session_id']}"
    return Run.objects.create(
        key=uuid4(),
        routine=routine or create_routine(),
        person=person,
        api_key=api_key,
        api_version=header_versions.API_VERSION,
        created_at=pressed,
        state=state,
        reason=reason,
        settled_at=None if state in OPEN else pressed,
        **turn(state, pressed) | values,
    )


def presser(run: Run) -> Person:
    """Whose run it is, where a test knows that a person asked for it."""
    assert run.person is not None
    return run.person


def turn(state: State, pressed: datetime) -> dict[str, Any]:
    """As of a run that was sent at once, or of one that waits."""
    if state == State.ACCEPTED:
        return {"deadline": pressed + timedelta(minutes=10)}
    if state in SENT:
        sent_at = None if state == State.SENDING else pressed
        return {"attempt": 1, "claimed_at": pressed, "sent_at": sent_at}
    return {}


def create_version(
    value: str, *, header: Header = Header.BETA, accepted: bool = True
) -> HeaderVersion:
    """A known version, dated as its value says, that the endpoint has started a session with."""
    dated = header_versions.date_in(value)
    assert dated is not None
    accepted_at = timezone.now() if accepted else None
    return HeaderVersion.objects.create(
        header=header, value=value, dated=dated, accepted_at=accepted_at
    )
