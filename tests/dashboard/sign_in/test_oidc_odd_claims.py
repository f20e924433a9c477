"""A provider may claim anything: what no database and no clock can take is refused or left out."""

import math

import pytest
from django.test import Client

from routines.models import Person
from tests.dashboard.sign_in.at_provider import is_signed_in, sign_in

ODD = [
    "a\x00b",
    "\ud800",
    "a\nb",
    "\x7f",
    10**400,
    math.inf,
    math.nan,
    {"a": [1]},
    ["x"],
    True,
    "x" * 9_000,
]
OTHERS = ["exp", "iat", "nbf", "auth_time", "nonce", "azp", "aud", "iss"]
NAMES = ["preferred_username", "name", "given_name", "family_name", "email", "groups"]


@pytest.mark.parametrize("odd", ["a\x00b", "\ud800", "a\nb", "\x7f", 5, ["x"], "x" * 9_000])
def test_a_subject_that_no_database_takes_gets_nobody_in(provider, odd):
    provider.token_claims = {"sub": odd, "preferred_username": "ada"}
    client = Client()
    assert sign_in(client, provider, "sub-admin").status_code == 401
    assert not is_signed_in(client)
    assert not Person.objects.exists()


@pytest.mark.parametrize("name", OTHERS)
def test_any_other_claim_of_nonsense_is_no_failure(provider, name):
    for odd in ODD:
        provider.token_claims = {name: odd, "preferred_username": "ada"}
        assert sign_in(Client(), provider, "sub-admin").status_code in (302, 401, 403), odd


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_cannot_be_kept_is_left_out(provider, name):
    for number, odd in enumerate(ODD):
        person = f"sub-{number}"
        provider.people[person] = provider.people["sub-admin"] | {name: odd}
        response = sign_in(Client(), provider, person)
        assert response.status_code in (302, 403), odd
        assert (response.status_code == 403) == (name == "groups"), odd


def test_an_address_of_the_provider_with_a_line_break_is_refused(provider):
    provider.discovery = {"end_session_endpoint": f"{provider.url}/out\r\nX-Odd: 1"}
    assert Client().post("/sign-in/provider/").status_code == 401
