"""Who gets in through the identity provider, as whom, and with which roles."""

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.auth.models import Group
from django.test import Client

from routines import people
from routines.models import AuditEvent, Person
from routines.people.roles import Role
from tests.dashboard.browsing import Page
from tests.dashboard.sign_in.at_provider import begin, is_signed_in, sign_in
from tests.factories import PASSWORD, create_admin, create_teammate


@pytest.mark.parametrize(
    ("sub", "roles"),
    [
        ("sub-admin", [Role.ADMIN]),
        ("sub-teammate", [Role.TEAMMATE]),
        ("sub-manager", [Role.MANAGER]),
    ],
)
def test_a_person_is_made_at_the_first_sign_in_with_the_roles_of_their_groups(provider, sub, roles):
    client = Client()
    response = sign_in(client, provider, sub)
    assert response.headers["Location"] == "/"
    assert is_signed_in(client)
    assert people.roles_of(Person.objects.get()) == roles


def test_the_person_has_their_name_and_no_password(provider):
    sign_in(Client(), provider, "sub-admin")
    person = Person.objects.get()
    assert (person.username, str(person), person.email) == ("ada", "Ada Admin", "ada@example.com")
    assert not person.has_usable_password()


def test_it_is_the_same_person_the_second_time_whatever_they_are_called_by_then(provider):
    sign_in(Client(), provider, "sub-admin")
    provider.people["sub-admin"] |= {"preferred_username": "renamed", "email": "other@example.com"}
    client = Client()
    sign_in(client, provider, "sub-admin")
    assert is_signed_in(client)
    assert Person.objects.get().username == "ada"


def test_somebody_without_a_group_that_opens_it_sees_whom_to_ask_and_is_not_made(provider):
    client = Client()
    response = sign_in(client, provider, "sub-nobody")
    page = Page(response)
    assert response.status_code == 403
    assert page.says("You have no access here yet")
    assert page.says("claude-admins")
    assert not is_signed_in(client)
    assert not Person.objects.exists()


def test_a_role_taken_away_at_the_provider_is_gone_at_the_next_sign_in(provider):
    client = Client()
    sign_in(client, provider, "sub-admin")
    assert client.get("/routines/").status_code == 200
    provider.people["sub-admin"]["groups"] = ["claude-teammates"]
    client = Client()
    sign_in(client, provider, "sub-admin")
    assert client.get("/routines/").status_code == 403
    assert client.get("/").status_code == 200


def test_all_roles_taken_away_keeps_out_and_ends_what_the_open_web_session_may_do(provider):
    before = Client()
    sign_in(before, provider, "sub-admin")
    provider.people["sub-admin"]["groups"] = []
    after = Client()
    assert sign_in(after, provider, "sub-admin").status_code == 403
    assert not is_signed_in(after)
    assert before.get("/routines/").status_code == 403


def test_a_group_that_only_the_dashboard_knows_stays(provider):
    sign_in(Client(), provider, "sub-teammate")
    Person.objects.get().groups.add(Group.objects.create(name="On call"))
    provider.people["sub-teammate"]["groups"] = ["claude-managers"]
    sign_in(Client(), provider, "sub-teammate")
    assert {group.name for group in Person.objects.get().groups.all()} == {"Managers", "On call"}


def test_the_trail_says_that_it_was_the_provider(provider):
    sign_in(Client(), provider, "sub-admin")
    provider.people["sub-admin"]["groups"] = ["claude-managers"]
    sign_in(Client(), provider, "sub-admin")
    edited, added = AuditEvent.objects.filter(chain="changes")
    assert added.action == AuditEvent.Action.PERSON_ADDED
    assert edited.changes == {"roles": [["Admin"], ["Manager"]]}
    assert {added.person_name, edited.person_name} == {"identity provider"}


def test_a_deactivated_person_is_kept_out_and_left_alone(provider):
    sign_in(Client(), provider, "sub-teammate")
    person = Person.objects.get()
    create_admin()
    people.deactivate(person, by=None)
    provider.people["sub-teammate"]["groups"] = ["claude-admins"]
    client = Client()
    response = sign_in(client, provider, "sub-teammate")
    assert response.headers["Location"] == "/inactive/"
    assert not is_signed_in(client)
    assert people.roles_of(person) == [Role.TEAMMATE]


# --- Nobody becomes somebody else ---


@pytest.mark.parametrize("verified", [True, False])
def test_nobody_is_found_by_username_or_address(provider, verified):
    """An account with a password is somebody else's, whatever the provider says of the newcomer."""
    local = create_teammate(username="ada")
    Person.objects.update(email="ada@example.com")
    provider.people["sub-admin"]["email_verified"] = verified
    sign_in(Client(), provider, "sub-admin")
    new = Person.objects.exclude(pk=local.pk).get()
    assert new.username == "ada-2"
    assert people.roles_of(local) == [Role.TEAMMATE]
    local.refresh_from_db()
    assert local.check_password(PASSWORD)


def test_the_same_subject_of_another_issuer_is_another_person(provider):
    sign_in(Client(), provider, "sub-admin")
    SocialAccount.objects.update(provider="https://another.example.com")
    sign_in(Client(), provider, "sub-admin")
    assert Person.objects.count() == 2


def test_nothing_of_the_provider_is_kept_but_who_it_is(provider):
    sign_in(Client(), provider, "sub-admin")
    account = SocialAccount.objects.get()
    assert (account.provider, account.uid, account.extra_data) == (provider.url, "sub-admin", {})
    assert not SocialToken.objects.exists()


@pytest.mark.parametrize(
    "claims",
    [
        {"preferred_username": "x" * 500, "name": "y" * 500, "email": "z" * 500},
        {"preferred_username": "a b/c\x00<script>", "email": "no address", "name": ""},
        {"preferred_username": 5, "name": ["x"], "email": {"x": 1}, "given_name": None},
        {"preferred_username": "  ", "email": ""},
    ],
)
def test_odd_claims_still_make_a_person(provider, claims):
    provider.people["sub-odd"] = {"groups": ["claude-admins"]} | claims
    client = Client()
    sign_in(client, provider, "sub-odd")
    assert is_signed_in(client)
    Person.objects.get().full_clean(exclude=["password"])


@pytest.mark.parametrize(
    ("claim", "claims", "gets_in"),
    [
        ("groups", {"groups": "claude-admins"}, True),
        ("roles", {"roles": ["claude-admins"]}, True),
        ("realm_access.roles", {"realm_access": {"roles": ["claude-admins"]}}, True),
        ("https://example.com/groups", {"https://example.com/groups": ["claude-admins"]}, True),
        ("groups", {"groups": ["claude-admins-not", "CLAUDE-ADMINS"]}, False),
        ("groups", {"groups": {"claude-admins": True}}, False),
        ("groups", {"groups": [["claude-admins"], None, 5]}, False),
        ("groups", {}, False),
    ],
)
def test_where_the_groups_stand(provider, settings, claim, claims, gets_in):
    settings.OIDC_ROLES_CLAIM = claim
    provider.people = {"sub": claims}
    client = Client()
    sign_in(client, provider, "sub")
    assert is_signed_in(client) == gets_in


def test_groups_that_only_the_userinfo_says_count(provider):
    provider.token_claims = {"groups": None, "preferred_username": None}
    client = Client()
    sign_in(client, provider, "sub-admin")
    assert is_signed_in(client)
    assert "/userinfo" in provider.asked


# --- The way there, and signing out ---


def test_it_leads_to_where_one_wanted_to_go_and_nowhere_else(provider):
    assert sign_in(Client(), provider, "sub-admin", next="/history/").headers["Location"] == (
        "/history/"
    )
    elsewhere = sign_in(Client(), provider, "sub-admin", next="https://example.com/")
    assert elsewhere.headers["Location"] == "/"


def test_nobody_alters_what_the_provider_is_asked_for(provider):
    client = Client()
    url = "/sign-in/provider/?scope=admin&auth_params=nonce%3Dmine&action=x&process=connect"
    location = client.post(url).headers["Location"]
    assert "admin" not in location
    assert "nonce=mine" not in location
    assert client.get("/sign-in/provider/").status_code in (302, 405)


def test_signing_out_goes_on_at_the_provider(provider):
    client = Client()
    sign_in(client, provider, "sub-admin")
    location = client.post("/sign-out/").headers["Location"]
    assert location.startswith(f"{provider.url}/end?id_token_hint=")
    assert "post_logout_redirect_uri=http%3A%2F%2Ftestserver%2Fsign-in%2F" in location
    assert not is_signed_in(client)


def test_signing_out_ends_here_if_the_provider_has_no_such_address(provider):
    provider.discovery = {"end_session_endpoint": None}
    del provider.discovery["end_session_endpoint"]
    provider.discovery["end_session_endpoint"] = ""
    client = Client()
    sign_in(client, provider, "sub-admin")
    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"


def test_who_signed_in_with_a_password_stays_here_when_signing_out(provider):
    client = Client()
    client.post("/sign-in/", {"login": create_teammate().username, "password": PASSWORD})
    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"


def test_the_sign_in_page_offers_both_ways(provider, settings):
    settings.OIDC_LABEL = "Sign in with Example"
    page = Page(Client().get("/sign-in/?next=/history/"))
    assert page.fields("/sign-in/provider/")["next"] == "/history/"
    assert [button.text for button in page.find("button")] == ["Sign in with Example", "Sign in"]


def test_passwords_can_be_switched_off(provider, settings):
    settings.PASSWORD_SIGN_IN = False
    person = create_teammate()
    client = Client()
    assert not Page(client.get("/sign-in/")).find("input", type="password")
    response = client.post("/sign-in/", {"login": person.username, "password": PASSWORD})
    assert not is_signed_in(client)
    assert Page(response).says("Passwords are switched off here: use the button instead.")
    sign_in(client, provider, "sub-admin")
    assert is_signed_in(client)


def test_there_is_no_way_there_without_a_provider(db):
    assert Client().post("/sign-in/provider/").status_code == 404
    assert not Page(Client().get("/sign-in/")).find("form", action="/sign-in/provider/")


def test_people_of_the_provider_are_told_where_their_password_is(provider):
    client = Client()
    sign_in(client, provider, "sub-admin")
    assert Page(client.get("/password/")).says("change its password where the company keeps it")
    assert not Page(client.get("/")).find("a", href="/password/")


def test_beginning_again_in_another_tab_does_not_spoil_the_first(provider):
    client = Client()
    first, second = begin(client), begin(client)
    client.get("/sign-in/provider/back/", provider.authorize(first, "sub-admin"))
    assert is_signed_in(client)
    assert second != first
