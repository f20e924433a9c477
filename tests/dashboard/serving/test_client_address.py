"""The audit trail says from where: the client's own address, which it cannot make up."""

import ipaddress
import logging
from typing import Any

import pytest
from django.test import Client

from dashboard.serving import client_address
from routines.models import AuditEvent, Routine
from tests.dashboard.browsing import Page, seen, signed_in
from tests.factories import create_teammate

PROXY = "127.0.0.1"


def address(rf, nearest: str, forwarded: str | None = None) -> str | None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address.of(rf.get("/", headers=headers, REMOTE_ADDR=nearest))


SEEN = {
    "straight": ("203.0.113.7", None, "203.0.113.7"),
    "straight, and made up": ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
    "through the proxy": (PROXY, "203.0.113.7", "203.0.113.7"),
    "through the proxy, and made up": (PROXY, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
    "through two of our proxies": (PROXY, "203.0.113.7, 10.0.0.9", "203.0.113.7"),
    "through a socket": ("", "203.0.113.7", "203.0.113.7"),
    "of the sixth version": (PROXY, "2001:db8::1", "2001:db8::1"),
    "of the fourth in the sixth": (PROXY, "::ffff:203.0.113.7", "203.0.113.7"),
    "in a zone": ("fe80::1%eth0", None, "fe80::1"),
    "by the proxy itself": (PROXY, None, PROXY),
    "nonsense from the proxy": (PROXY, "unknown", PROXY),
    "nonsense further out": (PROXY, "<script>, 10.0.0.9", "10.0.0.9"),
    "nowhere": ("", None, None),
}


@pytest.mark.parametrize(("nearest", "forwarded", "seen"), SEEN.values(), ids=SEEN)
def test_an_address_is_read_past_trusted_proxies_only(rf, settings, nearest, forwarded, seen):
    settings.TRUSTED_PROXIES = [
        ipaddress.ip_network(network) for network in ("127.0.0.1", "::1", "10.0.0.0/24")
    ]
    assert address(rf, nearest, forwarded) == seen


def test_with_a_star_whoever_connects_is_believed(rf, settings):
    settings.TRUSTED_PROXIES = [None]
    assert address(rf, "192.0.2.1", "203.0.113.7") == "203.0.113.7"


CHOSEN = "198.51.100.1"  # by the visitor


@pytest.mark.parametrize("trusted", ["*", "127.0.0.1", "10.0.0.0/24"])
@pytest.mark.parametrize(
    "said",
    [f"{CHOSEN}, 203.0.113.7", f"{CHOSEN}, 10.0.0.9, 203.0.113.7", f"x, {CHOSEN},203.0.113.7"],
)
def test_what_a_visitor_wrote_left_of_the_proxys_word_is_never_taken(rf, settings, trusted, said):
    """A proxy that adds to X-Forwarded-For where it should set it."""
    settings.TRUSTED_PROXIES = [None if trusted == "*" else ipaddress.ip_network(trusted)]
    nearest = "10.0.0.1" if trusted == "10.0.0.0/24" else PROXY
    assert address(rf, nearest, said) == "203.0.113.7"


@pytest.mark.django_db
def test_made_up_addresses_left_of_the_true_one_do_not_escape_the_count_of_passwords(settings):
    settings.TRUSTED_PROXIES = [None]
    create_teammate(username="tom")
    said = [
        Page(
            Client().post(
                "/sign-in/",
                {"login": "tom", "password": f"wrong {number}"},
                headers={"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.7"},
            )
        ).says("Too many wrong passwords")
        for number in range(6)
    ]
    assert said == [False] * 5 + [True]


# --- What a proxy does wrong is said, once ---


@pytest.fixture
def warnings(
    settings: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    settings.TRUSTED_PROXIES = [ipaddress.ip_network(one) for one in (PROXY, "10.0.0.9")]
    monkeypatch.setattr(client_address, "warned", set())
    caplog.set_level(logging.WARNING)
    return caplog


def warned_of(rf, caplog, nearest: str, **headers: str) -> list[str]:
    request = rf.get("/", headers=headers, REMOTE_ADDR=nearest)
    for _ in range(3):
        client_address.warn_of_proxy(request)
    return [record.getMessage() for record in caplog.records]


def test_a_proxy_that_adds_to_what_visitors_send_is_warned_of_once(rf, warnings):
    [said] = warned_of(rf, warnings, PROXY, **{"X-Forwarded-For": f"{CHOSEN}, 203.0.113.7"})
    assert said == client_address.APPENDED
    assert CHOSEN not in said


def test_a_proxy_that_says_nothing_of_the_address_is_warned_of_once(rf, warnings):
    [said] = warned_of(rf, warnings, PROXY, **{"X-Forwarded-Proto": "https"})
    assert said == client_address.MISSING


@pytest.mark.parametrize(
    ("nearest", "headers"),
    [
        (PROXY, {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}),
        (PROXY, {"X-Forwarded-For": "203.0.113.7, 10.0.0.9"}),  # two of ours, one behind the other
        (PROXY, {}),  # a probe, or somebody on this machine
        ("203.0.113.7", {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}),  # no proxy at all
    ],
)
def test_a_proxy_that_does_right_is_not_warned_of(rf, warnings, nearest, headers):
    assert warned_of(rf, warnings, nearest, **headers) == []


@pytest.mark.django_db
def test_the_first_page_through_such_a_proxy_warns(warnings):
    Client().get("/sign-in/", headers={"X-Forwarded-For": f"{CHOSEN}, 203.0.113.7"})
    assert client_address.APPENDED in warnings.text


@pytest.mark.django_db
def test_a_change_over_the_web_says_from_where_and_the_next_one_from_elsewhere(admin, routine):
    client = signed_in(admin)
    for action, address in (("disable", "203.0.113.7"), ("enable", "203.0.113.8")):
        shown = seen("routine", Routine.objects.get())
        url = f"/routines/{routine.slug}/{action}/"
        client.post(url, shown, headers={"X-Forwarded-For": address})
    events = AuditEvent.objects.filter(person=admin)
    assert [event.address for event in events] == ["203.0.113.8", "203.0.113.7"]


@pytest.mark.django_db
def test_what_the_command_line_changes_comes_from_no_address(routine):
    Client().get("/")  # a request that is over leaves nothing behind
    assert {event.address for event in routine.audit_events.all()} == {None}
    assert routine.audit_events.exists()
