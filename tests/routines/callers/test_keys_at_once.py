"""Two who change the same key, or its person, at the same moment."""

import pytest

from routines import people
from routines.callers import keys
from routines.models import ApiKey
from tests.factories import create_admin, create_key_and_secret, create_routine, create_teammate
from tests.routines.runs.firing.pressing import at_once

pytestmark = pytest.mark.usefixtures("transactional_db")


def test_no_key_is_made_behind_the_back_of_who_deactivates_its_person():
    admin = create_admin()
    for _ in range(6):
        leaver = create_teammate()

        def act(number: int, leaver=leaver) -> object:
            if number == 0:
                return people.deactivate(leaver, by=admin)
            terms = keys.Terms(f"key {number}", all_routines=True)
            return keys.make(terms, person=leaver, by=leaver)

        results = at_once(4, act)
        assert isinstance(results[0], int), results[0]
        assert not ApiKey.objects.filter(person=leaver, revoked_at=None).exists()
        refused = [one for one in results[1:] if isinstance(one, Exception)]
        assert all(isinstance(one, keys.Refused) for one in refused), refused


def test_a_key_never_has_three_live_secrets():
    admin = create_admin()
    api_key, _ = create_key_and_secret(create_routine())
    results = at_once(4, lambda _: keys.replace_secret(api_key, by=admin))
    assert sum(isinstance(one, keys.Refused) for one in results) == 3
    assert api_key.secrets.filter(ended_at=None).count() == 2


def test_of_two_secrets_that_are_ended_at_once_one_stays():
    admin = create_admin()
    api_key, _ = create_key_and_secret(create_routine())
    keys.replace_secret(api_key, by=admin)
    secrets = list(api_key.secrets.all())
    at_once(2, lambda number: keys.end_secret(api_key, secrets[number], by=admin))
    assert api_key.secrets.filter(ended_at=None).count() == 1


def test_a_key_is_revoked_once():
    admin = create_admin()
    api_key, _ = create_key_and_secret(create_routine())
    results = at_once(3, lambda _: keys.revoke(api_key, by=admin))
    assert sum(isinstance(one, keys.Refused) for one in results) == 2


def test_two_keys_made_at_once_do_not_share_a_name():
    admin = create_admin()
    results = at_once(3, lambda _: keys.make(keys.Terms("Pipeline"), by=admin))
    assert ApiKey.objects.filter(name="Pipeline", revoked_at=None).count() == 1
    refused = [one for one in results if isinstance(one, Exception)]
    assert all(isinstance(one, keys.NameTaken) for one in refused), refused
