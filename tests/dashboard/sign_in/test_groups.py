"""The groups that a provider sends, or doesn't: which roles they give, and what people are told."""

import logging

import pytest
from django.test import Client

from routines import people
from routines.models import AuditEvent, Person
from routines.people.roles import Role
from tests.dashboard.browsing import Page
from tests.dashboard.sign_in.at_provider import is_signed_in, sign_in
from tests.identity_provider import CLIENT_ID

ADMINS = "claude-admins"
OVERAGE = {
    "_claim_names": {"groups": "src1"},
    "_claim_sources": {"src1": {"endpoint": "https://graph.example.com/hidden-word"}},
}

SHAPES = {
    "a list": ("groups", {"groups": ["x", ADMINS]}),
    "one string": ("groups", {"groups": ADMINS}),
    "commas": ("groups", {"groups": f"x, {ADMINS}"}),
    "semicolons": ("groups", {"groups": f"x;{ADMINS}"}),
    "bars": ("groups", {"groups": f"x|{ADMINS}"}),
    "JSON in a string": ("groups", {"groups": f'["x", "{ADMINS}"]'}),
    "nearly JSON in a string": ("groups", {"groups": f"[x, {ADMINS}]"}),
    "paths, as Keycloak has them": ("groups", {"groups": ["/x", f"/{ADMINS}"]}),
    "objects with names": ("groups", {"groups": [{"id": 1, "name": ADMINS}]}),
    "objects of SCIM": ("groups", {"groups": [{"value": "1-2", "display": ADMINS}]}),
    "roles of the realm": ("realm_access", {"realm_access": {"roles": [ADMINS]}}),
    "roles of the client, by a path": (
        f"resource_access.{CLIENT_ID}.roles",
        {"resource_access": {CLIENT_ID: {"roles": [ADMINS]}}},
    ),
    "roles of a client with dots in its name": (
        "resource_access.routine.dashboard.roles",
        {"resource_access": {"routine.dashboard": {"roles": [ADMINS]}}},
    ),
    "roles of the client": (
        "resource_access",
        {"resource_access": {"other": {"roles": ["x"]}, CLIENT_ID: {"roles": [ADMINS]}}},
    ),
    "roles of ZITADEL": ("urn:x:roles", {"urn:x:roles": {ADMINS: {"12": "example.com"}}}),
    "blanks around": ("groups", {"groups": [f" {ADMINS} "]}),
}


@pytest.mark.parametrize(("claim", "claims"), SHAPES.values(), ids=SHAPES)
def test_the_usual_shapes_of_groups_give_a_role(provider, settings, claim, claims):
    settings.OIDC_ROLES_CLAIM = claim
    provider.people = {"sub": claims}
    client = Client()
    sign_in(client, provider, "sub")
    assert is_signed_in(client)
    assert people.roles_of(Person.objects.get()) == [Role.ADMIN]


def test_a_path_may_be_named_as_a_whole(provider, settings):
    settings.OIDC_ADMINS = ["/company/claude-admins"]
    provider.people["sub-admin"]["groups"] = ["/company/claude-admins"]
    sign_in(Client(), provider, "sub-admin")
    assert people.roles_of(Person.objects.get()) == [Role.ADMIN]


GIVE_NOTHING = {
    "a group inside of another one": ["/somebodys-own/claude-admins"],
    "a name that holds a separator": ["x,claude-admins"],
    "a name that holds more": ["not claude-admins"],
    "another case": ["CLAUDE-ADMINS"],
    "a distinguished name": ["CN=claude-admins,OU=Groups,DC=example,DC=com"],
    "of another client": {"another-client": {"roles": [ADMINS]}},
}


@pytest.mark.parametrize("groups", GIVE_NOTHING.values(), ids=GIVE_NOTHING)
def test_what_only_looks_like_the_group_gives_no_role(provider, groups):
    provider.people["sub-admin"]["groups"] = groups
    client = Client()
    assert sign_in(client, provider, "sub-admin").status_code == 403
    assert not Person.objects.exists()


# --- Groups that came, and open nothing ---


def test_who_is_kept_out_sees_their_groups_and_the_log_has_them(provider, caplog):
    provider.people["sub-nobody"] |= {
        "groups": ["/company/claude-teammates"],
        "phone": "hidden-word",
    }
    with caplog.at_level(logging.WARNING):
        page = Page(sign_in(Client(), provider, "sub-nobody"))
    assert page.says("You have no access here yet")
    assert page.says("company/claude-teammates")
    assert page.says("a path like parent/child is one name")
    [record] = [one for one in caplog.records if "brought no group" in one.getMessage()]
    assert record.facts["groups"] == "company/claude-teammates"
    assert "phone" in record.facts["claims"]
    assert "hidden-word" not in page.elements[0].text + caplog.text + repr(record.facts)


def test_hundreds_of_groups_are_counted_and_not_all_shown(provider):
    provider.people["sub-nobody"]["groups"] = [f"group {number:03}" for number in range(60)]
    page = Page(sign_in(Client(), provider, "sub-nobody"))
    assert page.says("group 049")
    assert page.says("and 10 more")
    assert not page.says("group 050")


def test_groups_that_came_as_ids_are_called_that(provider):
    provider.people["sub-nobody"]["groups"] = ["6c3f0a52-91b1-4f1c-9f39-1b6a5f0e7a11"]
    page = Page(sign_in(Client(), provider, "sub-nobody"))
    assert page.says("They are IDs.")


# --- Groups that did not come ---

DID_NOT_COME = {
    "left out, as Entra does": (OVERAGE, "there are too many of them for a token"),
    "left out, in its other way": ({"hasgroups": True}, "there are too many of them for a token"),
    "no claim": ({}, "Nothing that can be read as groups in the claim groups."),
    "null": ({"groups": None}, "Nothing that can be read as groups"),
    "a number": ({"groups": 5}, "Nothing that can be read as groups"),
    "a list of nothing readable": ({"groups": [["x"], 5]}, "Nothing that can be read as groups"),
    "such a list in JSON": ({"groups": '[["x"], 5]'}, "Nothing that can be read as groups"),
}


@pytest.mark.parametrize(("claims", "sentence"), DID_NOT_COME.values(), ids=DID_NOT_COME)
def test_a_newcomer_whose_groups_did_not_come_is_told_that_and_what_came(
    provider, caplog, claims, sentence
):
    provider.people = {"sub": {"preferred_username": "new", "roles": "hidden-word"} | claims}
    client = Client()
    with caplog.at_level(logging.WARNING):
        page = Page(sign_in(client, provider, "sub"))
    assert page.says("Your provider did not send your groups")
    assert page.says(sentence)
    assert page.says("preferred_username")  # a claim's name
    assert "hidden-word" not in page.elements[0].text + caplog.text
    assert not is_signed_in(client)
    assert not Person.objects.exists()
    assert "brought no groups; roles were left as they are" in caplog.text


@pytest.mark.parametrize(("claims", "sentence"), DID_NOT_COME.values(), ids=DID_NOT_COME)
def test_whose_groups_did_not_come_keeps_their_roles_and_gets_in(provider, claims, sentence):
    sign_in(Client(), provider, "sub-admin")
    del provider.people["sub-admin"]["groups"]
    provider.people["sub-admin"] |= claims
    client = Client()
    assert sign_in(client, provider, "sub-admin").headers["Location"] == "/"
    assert client.get("/routines/").status_code == 200
    assert not AuditEvent.objects.filter(action=AuditEvent.Action.PERSON_EDITED).exists()


@pytest.mark.parametrize("groups", [[], "", {"roles": []}], ids=str)
def test_an_empty_claim_is_a_word_and_takes_the_roles_away(provider, groups):
    sign_in(Client(), provider, "sub-admin")
    provider.people["sub-admin"]["groups"] = groups
    client = Client()
    page = Page(sign_in(client, provider, "sub-admin"))
    assert page.says("with no group in it")
    assert people.roles_of(Person.objects.get()) == []


def test_groups_that_only_userinfo_has_are_asked_for_where_the_token_leaves_them_out(provider):
    provider.token_claims = {"groups": None} | OVERAGE
    client = Client()
    sign_in(client, provider, "sub-admin")
    assert is_signed_in(client)
