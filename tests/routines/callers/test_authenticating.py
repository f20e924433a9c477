"""Which key a call proves to have, and whether it may be used now, from there."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from routines.callers import authenticating, keys
from routines.callers.authenticating import KeyRefused, UnknownKey, authenticate
from routines.models import ApiKey, ApiKeySecret, Person, TurnedAway, WhyNoRun
from routines.values import api_keys
from tests.factories import create_admin, create_key_and_secret, create_routine, create_teammate

pytestmark = pytest.mark.django_db

HERE = "192.0.2.1"


def why(text: str, address: str | None = HERE) -> WhyNoRun:
    with pytest.raises(KeyRefused) as refused:
        authenticate(text, address=address)
    return refused.value.why


def test_a_live_secret_is_its_key():
    api_key, text = create_key_and_secret(create_routine())
    create_key_and_secret(create_routine())
    assert authenticate(text, address=HERE) == api_key


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: text[:-1],
        lambda text: text + "x",
        lambda text: f" {text}",
        lambda text: text[:-1] + ("a" if text[-1] != "a" else "b"),
        lambda text: text.swapcase(),
        lambda text: api_keys.make().reveal(),
        lambda text: "rdk_" + "é" * 46,
        lambda text: text + "\0",
        lambda text: "sk-ant-oat01-" + text,
    ],
)
def test_what_is_no_secret_of_ours_opens_nothing(spoil):
    _, text = create_key_and_secret(create_routine())
    with pytest.raises(UnknownKey):
        authenticate(spoil(text), address=HERE)


def test_a_wrong_check_is_told_without_a_query(django_assert_num_queries):
    _, text = create_key_and_secret(create_routine())
    with django_assert_num_queries(0), pytest.raises(UnknownKey):
        authenticate(text[:-6] + "000000", address=HERE)


def test_an_ended_secret_opens_nothing():
    api_key, text = create_key_and_secret(create_routine())
    keys.replace_secret(api_key, by=create_admin())
    keys.end_secret(api_key, api_key.secrets.earliest("pk"), by=create_admin())
    with pytest.raises(UnknownKey):
        authenticate(text, address=HERE)


def test_a_revoked_key_is_refused_and_counted():
    api_key, text = create_key_and_secret(create_routine())
    keys.revoke(api_key, by=create_admin())
    assert why(text) == WhyNoRun.REVOKED
    assert why(text) == WhyNoRun.REVOKED
    assert TurnedAway.objects.get(api_key=api_key, why=WhyNoRun.REVOKED).calls == 2


def test_a_key_expires_at_its_moment():
    expires = timezone.now() + timedelta(hours=1)
    _, text = create_key_and_secret(create_routine(), expires_at=expires)
    with time_machine.travel(expires - timedelta(seconds=1)):
        authenticate(text, address=HERE)
    with time_machine.travel(expires):
        assert why(text) == WhyNoRun.EXPIRED


def test_a_key_of_somebody_who_was_switched_off_is_refused():
    teammate = create_teammate()
    _, text = create_key_and_secret(person=teammate)
    Person.objects.filter(pk=teammate.pk).update(is_active=False)  # in whatever way
    assert why(text) == WhyNoRun.REVOKED


@pytest.mark.parametrize(
    ("networks", "address", "opens"),
    [
        ([], None, True),
        ([], "203.0.113.5", True),
        (["192.0.2.0/24"], "192.0.2.255", True),
        (["192.0.2.0/24"], "192.0.3.0", False),
        (["192.0.2.0/24"], "::ffff:192.0.2.7", True),
        (["192.0.2.0/24"], "2001:db8::1", False),
        (["192.0.2.0/24"], None, False),
        (["2001:db8::/32"], "2001:db8:ffff::1", True),
        (["2001:db8::/32"], "2001:db9::1", False),
        (["0.0.0.0/0"], "2001:db8::1", False),
        (["198.51.100.1/32", "192.0.2.1/32"], "192.0.2.1", True),
    ],
)
def test_a_key_works_from_its_networks_alone(networks, address, opens):
    _, text = create_key_and_secret(create_routine(), networks=networks)
    if opens:
        authenticate(text, address=address)
    else:
        assert why(text, address) == WhyNoRun.NETWORK
        assert ApiKeySecret.objects.get().last_used_at is None


def test_when_it_was_last_used_is_written_once_a_minute_and_from_each_address(
    django_assert_num_queries,
):
    _, text = create_key_and_secret(create_routine())
    start = timezone.now()

    def used(seconds: float, address: str = HERE) -> None:
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            authenticate(text, address=address)

    def stored() -> tuple[float, str]:
        secret = ApiKeySecret.objects.get()
        assert secret.last_used_at is not None
        return (secret.last_used_at - start).total_seconds(), secret.last_used_from or ""

    used(0)
    assert stored() == (0, HERE)
    with django_assert_num_queries(1):  # the key is found; nothing is written
        used(59)
    assert stored() == (0, HERE)
    used(61)
    assert stored() == (61, HERE)
    used(62, "192.0.2.2")
    assert stored() == (62, "192.0.2.2")


def test_a_secret_is_in_no_repr_of_what_is_raised_or_returned():
    api_key, text = create_key_and_secret(create_routine())
    keys.revoke(api_key, by=create_admin())
    with pytest.raises(KeyRefused) as refused:
        authenticating.authenticate(text, address=HERE)
    assert text not in repr(refused.value)
    assert text not in repr(api_keys.read(text))
    assert text not in repr(ApiKey.objects.get())
