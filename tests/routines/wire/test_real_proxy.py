"""Fires through a proxy as companies have it: tinyproxy, from Debian."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from routines.fire_api import Answer
from routines.values.reasons import Reason, State
from routines.wire import Proxy, Route
from tests import certificates, daemons
from tests.hostile import HostileServer, closes, refused_port
from tests.routines.fire_api.asking import PLAIN, fire

USER, PASSWORD, ENCODED = "fires", "hidden.word", "hidden%2Eword"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxies")


@pytest.fixture(scope="module")
def certificate(folder: Path) -> certificates.Certificate:
    return certificates.make(folder)


def tinyproxy(folder: Path, *rules: str) -> Iterator[str]:
    port = daemons.free_port()
    config = folder / f"tinyproxy-{port}.conf"
    lines = [f"Port {port}", "Listen 127.0.0.1", "Allow 127.0.0.1", "Timeout 30", "MaxClients 50"]
    config.write_text("\n".join([*lines, *rules, ""]))
    command = [daemons.program("tinyproxy"), "-d", "-c", str(config)]
    with daemons.running(command, port=port, log=folder / f"tinyproxy-{port}.log"):
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def with_password(folder: Path) -> Iterator[str]:
    yield from tinyproxy(folder, f"BasicAuth {USER} {PASSWORD}")


@pytest.fixture(scope="module")
def without_password(folder: Path) -> Iterator[str]:
    yield from tinyproxy(folder)


@pytest.fixture(scope="module")
def forbids_the_endpoint(folder: Path) -> Iterator[str]:
    yield from tinyproxy(folder, "ConnectPort 1")


def route(url: str, certificate: certificates.Certificate) -> Route:
    return Route(proxy=Proxy.from_url(url), ca_file=certificate.certificate)


def test_a_fire_goes_through_a_proxy_that_asks_for_nothing(without_password, certificate):
    with HostileServer(tls=certificate.served) as endpoint:
        through = route(f"http://{without_password}", certificate)
        answer = fire(endpoint.url, text="hello", route=through)
        # And the tunnel is kept for the next one.
        again = fire(endpoint.url, route=through)
        assert (endpoint.requests, endpoint.connections) == (2, 1)
    assert (answer.reason, again.reason) == (Reason.SESSION_CREATED, Reason.SESSION_CREATED)
    assert endpoint.received[0].header("authorization") == f"Bearer {PLAIN}"
    assert endpoint.received[0].header("proxy-authorization") is None


def test_a_fire_signs_in_at_the_proxy_with_a_percent_encoded_password(with_password, certificate):
    with HostileServer(tls=certificate.served) as endpoint:
        through = route(f"http://{USER}:{ENCODED}@{with_password}", certificate)
        assert fire(endpoint.url, route=through).reason == Reason.SESSION_CREATED
        assert endpoint.requests == 1


@pytest.mark.parametrize("user", ["", f"{USER}:wrong@", "somebody:else@"])
def test_a_proxy_that_asks_for_another_password_sends_nothing(
    with_password, certificate, user, caplog
):
    with caplog.at_level(logging.DEBUG), HostileServer(tls=certificate.served) as endpoint:
        answer = fire(endpoint.url, route=route(f"http://{user}{with_password}", certificate))
        assert endpoint.connections == 0
    said = f"The proxy answered {'401' if user else '407'} to CONNECT."
    assert answer == Answer(Reason.PROXY_SIGN_IN, error_message=said)
    assert answer.state == State.NOT_SENT
    assert "wrong" not in repr(answer) + caplog.text


def test_a_proxy_whose_rules_forbid_the_endpoint_sends_nothing(forbids_the_endpoint, certificate):
    with HostileServer(tls=certificate.served) as endpoint:
        answer = fire(endpoint.url, route=route(f"http://{forbids_the_endpoint}", certificate))
        assert endpoint.connections == 0
    assert answer == Answer(
        Reason.PROXY_REFUSED, error_message="The proxy answered 403 to CONNECT."
    )


def test_a_proxy_that_cannot_reach_the_endpoint_sends_nothing(without_password, certificate):
    through = route(f"http://{without_password}", certificate)
    answer = fire(f"https://127.0.0.1:{refused_port()}", route=through)
    assert answer.reason == Reason.PROXY_FAILED
    assert answer.error_message.startswith("The proxy answered 5")


def test_an_endpoint_that_hangs_up_behind_a_proxy_is_unknown(without_password, certificate):
    with HostileServer(closes(), tls=certificate.served) as endpoint:
        answer = fire(endpoint.url, route=route(f"http://{without_password}", certificate))
        assert endpoint.requests == 1
    assert answer.reason == Reason.CONNECTION_LOST


def test_behind_a_proxy_the_endpoints_certificate_is_verified_all_the_same(
    without_password, certificate
):
    with HostileServer(tls=certificate.served) as endpoint:
        through = replace(route(f"http://{without_password}", certificate), ca_file="")
        assert fire(endpoint.url, route=through) == Answer(Reason.TLS_FAILED)
        assert endpoint.requests == 0


def test_a_companys_own_authority_is_trusted_without_a_proxy_too(certificate):
    with HostileServer(tls=certificate.served) as endpoint:
        answer = fire(endpoint.url, route=Route(ca_file=certificate.certificate))
        assert answer.reason == Reason.SESSION_CREATED


def test_plain_http_on_this_machine_is_never_shown_to_the_proxy(certificate):
    with HostileServer() as endpoint, HostileServer() as proxy:
        answer = fire(endpoint.url, route=route(proxy.url, certificate))
        assert (answer.reason, proxy.connections) == (Reason.SESSION_CREATED, 0)
