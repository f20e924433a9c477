"""The audit trail says from where: the client's own address, which it cannot make up."""

import ipaddress

import pytest
from django.test import Client

from dashboard.serving import client_address
from routines.models import AuditEvent, Routine
from tests.dashboard.browsing import seen, signed_in

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
    assert address(rf, "192.0.2.1", "203.0.113.7, 192.0.2.9") == "203.0.113.7"


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
