"""Who gets in where: every address, as everybody, with every method, as docs/rights.md says."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core.management import get_commands
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from dashboard.sign_in.second_factor import SecondFactorAdapter
from routines.models import AuditEvent, Person, Routine, Run, SavedView, TextTemplate, VersionMove
from routines.values.reasons import Reason
from tests import rights_table
from tests.dashboard.browsing import signed_in
from tests.factories import (
    create_key_and_secret,
    create_person,
    create_routine,
    create_run,
    create_teammate,
    create_version,
)
from tests.rights_table import LOOK, PRESS, WHO

RIGHTS = rights_table.rights()
ADDRESSES = list(dict.fromkeys(address for address, _ in RIGHTS))


def patterns(resolver: URLResolver | None = None, space: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}", pattern.pattern
        else:
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from patterns(pattern, inner)


@pytest.fixture
def people(teammate, manager, admin, routine) -> dict[str, Person | None]:
    group = Group.objects.create(name="The routine's")
    group.user_set.add(teammate)
    routine.open_to.add(group)
    others = [create_person(), teammate, create_teammate(), manager, admin, create_teammate()]
    return dict(zip(WHO, [None, *others], strict=True))


@pytest.fixture
def clients(people) -> dict[str, Client]:
    clients = {who: signed_in(person) if person else Client() for who, person in people.items()}
    Person.objects.filter(pk=people["deactivated"].pk).update(is_active=False)
    return clients


@pytest.fixture
def values(routine, teammate, people) -> dict[str, dict[str, Any]]:
    """What stands in the addresses: by the end of their names, the rest under the empty one."""
    run = create_run(routine=routine, person=teammate, reason=Reason.NO_ANSWER)
    version = create_version("experimental-cc-routine-2026-10-01")
    move = VersionMove.objects.create(header=version.header, target=version.value)
    group = Group.objects.create(name="A group without a routine")
    personal, _ = create_key_and_secret(person=teammate)
    of_nobody, _ = create_key_and_secret(routine)
    usual = {
        "slug": routine.slug,
        "pk": run.pk,
        "version": version.pk,
        "move": move.pk,
        "person": create_person().pk,
        "group": group.pk,
        "account": routine.account_id,
        "api_key": personal.pk,
        "secret": personal.secrets.get().pk,
        "reference": routine.slug,
    }
    view = SavedView.objects.create(person=teammate, name="A view")
    own = TextTemplate.objects.create(routine=routine, owner=teammate, name="Own", body="x")
    shared = routine.text_templates.shared().get()
    return {
        "": usual,
        "own_template": usual | {"pk": own.pk},
        "template": usual | {"pk": shared.pk},
        "view": usual | {"pk": view.pk},
        "edit_api_key": usual | {"api_key": of_nobody.pk},
    }


@pytest.fixture
def urls(values) -> dict[str, str]:
    def url(name: str, pattern: Any) -> str:
        ending = max((end for end in values if name.endswith(end)), key=len)
        return reverse(name, kwargs={key: values[ending][key] for key in pattern.converters})

    return {name: url(name, pattern) for name, pattern in patterns()}


def test_the_page_names_every_address_once_and_in_order():
    assert [name for name, _ in patterns()] == ADDRESSES


def test_the_page_names_every_command():
    ours = [name for name, app in get_commands().items() if app in ("routines", "dashboard")]
    assert sorted(rights_table.commands()) == sorted(ours)


@pytest.mark.parametrize("address", ADDRESSES)
def test_everybody_gets_in_where_the_page_says_and_nowhere_else(address, urls, clients):
    def words(verb: str) -> dict[str, str]:
        return {
            who: rights_table.word_for(_do(client, verb, urls[address]), verb)
            for who, client in clients.items()
        }

    before = stored()
    assert words(LOOK) == RIGHTS.get((address, LOOK), rights_table.left_out(LOOK))
    assert stored() == before
    assert words(PRESS) == RIGHTS.get((address, PRESS), rights_table.left_out(PRESS))


def test_who_has_no_role_reaches_their_own_sign_in_alone_and_leaves_no_trace(urls, clients):
    of_sign_in = re.compile(
        "account_|mfa_|oidc_|confirmed$|web_sessions$|end_|(elsewhere_at_)?fire_door|api_|mcp$"
    )
    before, events = stored(), AuditEvent.objects.count()
    for address in ADDRESSES:
        if of_sign_in.match(address):
            continue
        for verb in (LOOK, PRESS):
            said = rights_table.word_for(_do(clients["no role"], verb, urls[address]), verb)
            assert said in ("no", "-"), (address, verb)
    assert (stored(), AuditEvent.objects.count()) == (before, events)


CONFIRMING = {"account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"}
CONFIRMING |= {"oidc_confirm"}


def test_a_recent_sign_in_is_asked_for_where_the_page_says_and_nowhere_else(urls, people, values):
    """Whoever finds an unlocked screen changes nobody's rights; nobody else is held up."""
    key = {"pk": values[""]["pk"], "type": "webauthn", "data": {"name": "A key"}}
    codes = {"seed": SecondFactorAdapter().encrypt("0" * 40), "used_mask": 0}
    unlock = {"pk": 9_002, "type": "recovery_codes", "data": codes}
    for factor in (key, {"pk": 9_001, "type": "totp"}, unlock):
        Authenticator.objects.create(user=people["admin"], **{"data": {}} | factor)
    asked = set()
    for address in urls.keys() - CONFIRMING:
        url = urls[address]
        for verb in (LOOK, PRESS):
            client = signed_in(people["admin"])
            with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
                if _asks(_do(client, verb, url)):
                    asked.add((address, verb))
    assert asked == rights_table.asking()


def _asks(response: Any) -> bool:
    leads_on = response.headers.get("Location", "").startswith("/confirm/")
    says_so = not response.streaming and b"It is a while since you signed in" in response.content
    return leads_on or says_so


def test_no_other_method_gets_in(urls, clients):
    """HEAD sees no more than looking does; what is neither looking nor pressing does nothing."""
    before = stored()
    for who in ("admin", "nobody"):
        client = clients[who]
        for address, url in urls.items():
            head = client.head(url)
            assert head.status_code in (client.get(url).status_code, 405), (who, address)
            assert head.getvalue() == b"", (who, address)
            for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
                response = client.generic(method, url, b"pk=1")
                # A door says it as the endpoint would: nobody without a key learns of methods.
                at_door = url.startswith(("/v1", "/api", "/mcp"))
                asks_for_key = at_door and address not in ("api_document", "api_docs")
                said = (response.status_code, b"" if at_door else response.getvalue())
                assert said == (401 if asks_for_key else 405, b""), (method, address)
    assert stored() == before


def _do(client: Client, verb: str, url: str) -> Any:
    csrf = {"csrfmiddlewaretoken": "x"}
    response = client.get(url) if verb == LOOK else client.post(url, csrf)
    b"".join(response)  # to the end: an export keeps its place until then
    return response


def stored() -> list[Any]:
    return [
        list(Routine.objects.values()),
        list(Run.objects.values()),
        list(Person.objects.values()),
        list(Routine.objects.values("text_templates__pk", "text_templates__body")),
    ]


# --- The holes that tools of this kind have had ---


SECRET = "the text of the teammate's run"


@pytest.fixture
def secret_run(routine, teammate) -> Run:
    return create_run(routine=routine, person=teammate, text=SECRET)


def test_no_listing_shows_a_run_to_who_may_not_see_it(urls, clients, secret_run):
    shown_to = {
        who
        for who, client in clients.items()
        for url in urls.values()
        for content in [client.get(url).getvalue().decode()]
        if SECRET in content or secret_run.session_id in content
    }
    assert shown_to == {"teammate", "manager", "admin"}


@pytest.mark.parametrize("name", ["export_csv", "export_json_lines"])
def test_an_export_forgets_neither_its_filter_nor_who_asks(clients, secret_run, teammate, name):
    other = create_run(person=teammate, text="of another routine")

    def exported(who: str, **filters: Any) -> set[str]:
        content = clients[who].get(reverse(name), filters).getvalue().decode()
        return {run.text for run in (secret_run, other) if run.text in content}

    for who in ("teammate", "manager", "admin"):
        assert exported(who) == {SECRET, other.text}
        assert exported(who, routine=other.routine.slug) == {other.text}
        assert exported(who, q="another") == {other.text}
    for filters in ({}, {"person": teammate.username}, {"routine": secret_run.routine.slug}):
        assert exported("other group", **filters) == exported("no role", **filters) == set()


def test_run_again_needs_the_right_to_fire(clients, routine, secret_run):
    again = f"{reverse('run', args=[routine.slug])}?again={secret_run.pk}"
    answers = {who: client.get(again) for who, client in clients.items()}
    assert {who for who, answer in answers.items() if answer.status_code == 200} == {
        *("teammate", "admin"),
    }
    assert SECRET not in answers["other group"].getvalue().decode()


def test_who_may_see_a_run_but_not_fire_makes_none(clients, routine, secret_run):
    pressed = clients["manager"].post(
        reverse("fire", args=[routine.slug]), {"key": str(secret_run.key), "text": SECRET}
    )
    assert pressed.status_code == 403
    assert list(routine.runs.all()) == [secret_run]


def test_signing_out_ends_the_web_session_on_the_server(teammate):
    client = signed_in(teammate)
    thief = Client()
    thief.cookies["sessionid"] = client.cookies["sessionid"].value
    assert thief.get(reverse("board")).status_code == 200
    client.post(reverse("account_logout"))
    assert rights_table.word_for(thief.get(reverse("board")), LOOK) == "sign in"


def test_a_deactivated_persons_web_session_ends_with_the_next_request(clients):
    answer = clients["deactivated"].get(reverse("history"))
    assert rights_table.word_for(answer, LOOK) == "sign in"


@pytest.mark.parametrize("name", ["history_run", "history_result"])
def test_a_guessed_number_is_not_told_from_one_that_does_not_exist(clients, name, secret_run):
    guessed = clients["other group"].get(reverse(name, args=[secret_run.pk]))
    missing = clients["other group"].get(reverse(name, args=[secret_run.pk + 1000]))
    assert guessed.status_code == missing.status_code == 404
    assert without_what_differs_always(guessed) == without_what_differs_always(missing)


def without_what_differs_always(response: Any) -> str:
    """Each answer has a CSRF token and a reference of its own."""
    text = response.content.decode().replace(response.headers["X-Request-ID"], "")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


def test_a_template_is_not_reached_through_another_routine(clients, routine):
    template = create_routine(template="Elsewhere").text_templates.get()
    crossed = reverse("edit_template", kwargs={"slug": routine.slug, "pk": template.pk})
    assert clients["admin"].get(crossed).status_code == 404
    assert clients["admin"].post(crossed, {"name": "x", "body": "x"}).status_code == 404
