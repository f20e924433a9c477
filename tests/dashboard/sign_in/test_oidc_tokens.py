"""What is not good does not get in: codes, states, ID tokens, issuers, a provider in trouble."""

import json
import logging
import socket
from time import time
from typing import Any

import jwt
import pytest
from django.test import Client

from dashboard.sign_in.oidc import wire
from routines.models import Person
from tests.dashboard.browsing import Page
from tests.dashboard.sign_in.at_provider import BACK, begin, is_signed_in, sign_in
from tests.hostile import HostileServer, answer, drips, gzip_bomb, hangs, says_and_closes
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, key
from tests.routines.fire_api.asking import SLACK, SOON


def assert_kept_out(response, client: Client, sentence: str = "") -> None:
    page = Page(response)
    assert response.status_code == 401
    assert page.says("Nobody was signed in")
    assert page.says(sentence), page.elements[-1].text
    assert not is_signed_in(client)
    assert not Person.objects.exists()


def bad_sign_in(provider, sentence: str = "") -> None:
    client = Client()
    assert_kept_out(sign_in(client, provider, "sub-admin"), client, sentence)


def test_the_provider_of_these_tests_is_good_if_nothing_is_altered(provider):
    client = Client()
    sign_in(client, provider, "sub-admin")
    assert is_signed_in(client)


# --- The ID token ---


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://login.example.com"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": ["another-client"]},
        {"aud": None},
        {"exp": int(time()) - 3600},
        {"exp": None},
        {"iat": int(time()) + 3600, "exp": int(time()) + 7200},
        {"nbf": int(time()) + 3600},
        {"nonce": "another sign-in's"},
        {"nonce": None},
        {"nonce": ""},
        {"nonce": 5},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 192},
        {"sub": 5},
        {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"},
        {"aud": [CLIENT_ID, "another-client"]},
        {"azp": "another-client"},
    ],
    ids=" and ".join,  # without the values: some are times, and xdist wants the same in each worker
)
def test_a_token_that_says_something_wrong(provider, claims):
    provider.token_claims = claims
    bad_sign_in(provider, "The ID token")


def test_a_token_for_several_that_was_issued_to_us_is_good(provider):
    provider.token_claims = {"aud": [CLIENT_ID, "another-client"], "azp": CLIENT_ID}
    client = Client()
    sign_in(client, provider, "sub-admin")
    assert is_signed_in(client)


def test_a_token_signed_by_somebody_else(provider):
    provider.signing_key = key("somebody else's")
    bad_sign_in(provider, "The ID token is not good (InvalidSignatureError).")


def test_a_token_of_a_key_that_the_provider_does_not_have(provider):
    provider.signing_key = key("somebody else's")
    provider.token_header = {"kid": "another"}
    bad_sign_in(provider, "The ID token is not good (InvalidKeyError).")


def test_a_token_that_brings_its_own_key(provider):
    provider.signing_key = key("somebody else's")
    own = jwt.algorithms.RSAAlgorithm.to_jwk(provider.signing_key.public_key(), as_dict=True)
    provider.token_header = {"kid": "good", "jwk": own, "jku": f"{provider.url}/keys"}
    bad_sign_in(provider)


def test_a_token_without_a_signature(provider):
    provider.signing_key, provider.algorithm = None, "none"
    bad_sign_in(provider, "The ID token is not good (InvalidAlgorithmError).")


@pytest.mark.parametrize("secret", [CLIENT_SECRET, "public"])
def test_a_token_signed_with_what_is_no_secret_of_the_provider(provider, secret):
    provider.signing_key, provider.algorithm = secret.ljust(64, "x"), "HS256"
    bad_sign_in(provider, "The ID token is not good (InvalidAlgorithmError).")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", None, 5, {"x": 1}])
def test_what_is_no_token_at_all(provider, token):
    body = json.dumps({"access_token": "x", "id_token": token}).encode()
    provider.answers["/token"] = (200, body)
    bad_sign_in(provider)


def test_a_userinfo_about_somebody_else(provider):
    provider.token_claims = {"groups": None}
    provider.userinfo = {"sub": "sub-teammate"}
    bad_sign_in(provider, "The userinfo answer is about somebody else.")


def test_what_the_token_says_counts_over_what_userinfo_says(provider):
    provider.people["sub-teammate"].pop("preferred_username")
    provider.userinfo = {"groups": ["claude-admins"], "iss": "x"}
    client = Client()
    sign_in(client, provider, "sub-teammate")
    assert client.get("/routines/").status_code == 403


# --- Code and state ---


def test_a_code_that_was_used_before(provider):
    first = Client()
    back = provider.authorize(begin(first), "sub-admin")
    first.get(BACK, back)
    assert is_signed_in(first)
    Person.objects.all().delete()
    # In another browser, even with a state that is good there.
    client = Client()
    again = provider.authorize(begin(client), "sub-admin")
    response = client.get(BACK, again | {"code": back["code"]})
    assert_kept_out(response, client, "The provider's token address refused (status 400, invalid")


def test_a_code_of_somebody_elses_sign_in_does_not_fit_ours(provider):
    """PKCE: the code that an attacker began does not go with the victim's verifier."""
    attacker, victim = Client(), Client()
    begun_by_attacker = provider.authorize(begin(attacker), "sub-admin")
    begun_by_victim = provider.authorize(begin(victim), "sub-teammate")
    response = victim.get(BACK, begun_by_victim | {"code": begun_by_attacker["code"]})
    assert_kept_out(response, victim)


@pytest.mark.parametrize("state", ["made up", ""])
def test_a_state_that_we_did_not_give(provider, state):
    client = Client()
    back = provider.authorize(begin(client), "sub-admin")
    assert_kept_out(client.get(BACK, back | {"state": state}), client, "begun too long ago")


def test_a_state_of_another_browser(provider):
    back = provider.authorize(begin(Client()), "sub-admin")
    client = Client()
    assert_kept_out(client.get(BACK, back), client)


def test_a_state_that_was_used_before(provider):
    client = Client()
    back = provider.authorize(begin(client), "sub-admin")
    client.get(BACK, back)
    client.post("/sign-out/")
    assert client.get(BACK, back).status_code == 401
    assert not is_signed_in(client)


def test_an_answer_that_says_it_is_of_another_issuer(provider):
    client = Client()
    back = provider.authorize(begin(client), "sub-admin")
    response = client.get(BACK, back | {"iss": "https://login.example.com"})
    assert_kept_out(response, client, "The answer comes from another issuer.")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("access_denied", "The sign-in was cancelled at the provider"),
        ("<script>", "did not let anybody in"),
    ],
)
def test_a_refusal_of_the_provider(provider, error, sentence):
    client = Client()
    state = provider.authorize(begin(client), "sub-admin")["state"]
    response = client.get(BACK, {"error": error, "state": state})
    assert_kept_out(response, client, sentence)


# --- The provider itself ---


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://login.example.com"},
        {"issuer": None},
        {"token_endpoint": "http://login.example.com/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": ["x"]},
        {"jwks_uri": "https://[x"},
    ],
    ids=str,
)
def test_a_discovery_document_that_is_not_the_issuers_own(provider, discovery):
    provider.discovery = discovery
    client = Client()
    assert_kept_out(client.post("/sign-in/provider/"), client, "The discovery document")


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
@pytest.mark.parametrize(
    "answer",
    [(500, b"broken"), (200, b"<html>"), (200, b"[1]"), (200, b""), (302, b"{}"), (200, b"{}")],
    ids=str,
)
def test_an_answer_that_cannot_be_used(provider, path, answer):
    client = Client()
    back = provider.authorize(begin(client), "sub-admin")
    provider.answers[path] = answer
    assert_kept_out(client.get(BACK, back), client)
    assert "/elsewhere" not in provider.asked


def test_a_provider_that_is_down(provider, settings):
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    client = Client()
    response = client.post("/sign-in/provider/")
    assert_kept_out(response, client, "The provider's discovery address did not answer")


def test_the_secret_goes_in_the_header_if_the_provider_wants_it_there(provider):
    provider.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    client = Client()
    sign_in(client, provider, "sub-admin")
    assert is_signed_in(client)


def test_a_wrong_secret_is_told_and_never_shown(provider, settings, caplog):
    settings.OIDC_CLIENT_SECRET = "a wrong secret"
    with caplog.at_level(logging.DEBUG):
        client = Client()
        response = sign_in(client, provider, "sub-admin")
    assert_kept_out(response, client, "(status 401, invalid_client)")
    assert "No sign-in at the identity provider" in caplog.text
    assert "a wrong secret" not in caplog.text + response.content.decode()


def test_an_issuer_written_with_a_slash_too_many_is_the_same(provider, settings):
    settings.OIDC_ISSUER = f"{provider.url}/"
    client = Client()
    sign_in(client, provider, "sub-admin")
    assert is_signed_in(client)


def test_an_authorization_address_that_has_a_query_keeps_it(provider):
    provider.discovery = {"authorization_endpoint": f"{provider.url}/authorize?policy=x"}
    client = Client()
    location = begin(client)
    assert location.startswith(f"{provider.url}/authorize?policy=x&client_id=")
    client.get(BACK, provider.authorize(location, "sub-admin"))
    assert is_signed_in(client)


def test_nobody_makes_the_dashboard_call_the_provider_without_end(provider):
    statuses = [Client().post("/sign-in/provider/").status_code for _ in range(61)]
    assert statuses == [302] * 60 + [429]


# --- A provider that takes its time, or says too much ---


TAKES_ITS_TIME = {
    "hangs": hangs(),
    "drips its head": drips(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 10_000),
    "drips its answer": drips(b" " * 10_000, after=b"HTTP/1.1 200 OK\r\n\r\n"),
}


@pytest.mark.parametrize("step", TAKES_ITS_TIME.values(), ids=TAKES_ITS_TIME)
def test_a_provider_that_does_not_come_to_an_end_is_given_up_at_one_deadline(
    provider, settings, monkeypatch, step
):
    monkeypatch.setattr(wire, "SECONDS", SOON)
    client = Client()
    with HostileServer(step) as slow:
        settings.OIDC_ISSUER = slow.url
        started = time()
        response = client.post("/sign-in/provider/")
        assert time() - started < SOON + SLACK
    assert_kept_out(response, client, "The provider's discovery address did not answer")


def test_one_deadline_is_for_all_answers_of_a_sign_in(provider, monkeypatch):
    client = Client()
    back = provider.authorize(begin(client), "sub-admin")
    monkeypatch.setattr(wire, "SECONDS", 0)
    assert_kept_out(client.get(BACK, back), client, "did not answer: no connection.")


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
def test_an_answer_without_end_is_not_read(provider, path):
    client = Client()
    back = provider.authorize(begin(client), "sub-admin")
    provider.answers[path] = (200, b'{"x": "' + b"x" * 1_100_000 + b'"}')
    assert_kept_out(client.get(BACK, back), client, "did not answer whole: too large.")


def test_a_compressed_answer_is_bounded_as_it_unfolds(settings, db):
    head = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    client = Client()
    with HostileServer(says_and_closes(answer(200, gzip_bomb(8), head))) as server:
        settings.OIDC_ISSUER = server.url
        response = client.post("/sign-in/provider/")
    assert_kept_out(response, client, "did not answer whole: too large.")


# --- The way there ---


def test_a_provider_outside_is_asked_through_the_proxy_and_one_inside_is_not(
    settings, monkeypatch, db
):
    monkeypatch.setenv("NO_PROXY", "inside.test")
    with HostileServer(says_and_closes(answer(403))) as proxy:
        settings.OIDC_PROXY_URL = proxy.url
        for host, sentence in (
            ("outside.test", "proxy refused. The proxy answered 403 to CONNECT."),
            ("inside.test", "no connection."),
        ):
            settings.OIDC_ISSUER = f"https://{host}"
            monkeypatch.setattr(socket, "getaddrinfo", _knows_nobody(socket.getaddrinfo))
            client = Client()
            assert_kept_out(client.post("/sign-in/provider/"), client, sentence)
        assert [one.head.split()[1] for one in proxy.received] == [b"outside.test:443"]


def _knows_nobody(look_up: Any) -> Any:
    def answer(host: str, *arguments: Any, **more: Any) -> Any:
        if host.endswith(".test"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *arguments, **more)

    return answer
