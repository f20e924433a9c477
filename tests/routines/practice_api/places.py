"""Where the documented request can be sent: at the practice API, and at our own door.

One suite for both (test_rules.py): a script that fires at claude.ai works at the door. Where the
door rightly answers otherwise stands here, with the reason; what it answers then is tested in
tests/dashboard/fire_door/test_differences.py.
"""

import re
from dataclasses import dataclass

from routines.models import ApiKey, Routine
from routines.practice_api import PracticeApi
from tests.factories import create_key_and_secret, create_routine

OWN_PINS = (
    "The routine's pinned versions are sent: what an admin has moved and tried is not for a "
    "script to undo. What it sends itself is accepted and ignored."
)
OWN_TOKEN = (
    "The stored token is an admin's to replace; a 401 would send the caller looking for a fault in "
    "a key that is good."
)
HONEST = (
    "What may have started a session is 504 and names the run: the one status that says that "
    "nobody may fire again without a look."
)
# Tests of test_rules.py that hold for the practice API alone.
DIFFERS = {
    "test_a_session_knows_the_request_id_of_its_answer": (
        "The request ID is the door's own, by which our log knows the call; the endpoint's stands "
        "with the run."
    ),
    "test_the_api_version_is_required": OWN_PINS,
    "test_another_api_version_is_refused": OWN_PINS,
    "test_a_beta_version_that_nobody_knows_is_refused": OWN_PINS,
    "test_older_documentation_the_beta_version_is_required": OWN_PINS,
    "test_a_special_routine_still_wants_its_versions": OWN_PINS,
    "test_another_routines_token_does_not_fire_it": (
        "A key may be given several routines. One that it was not given is no routine to it: 404, "
        "like one that does not exist."
    ),
    "test_a_regenerated_token_kills_the_old_one_at_once": OWN_TOKEN,
    "test_a_revoked_token_has_no_replacement_until_one_is_generated": OWN_TOKEN,
    "test_a_limit_says_when_it_resets_in_seconds_as_a_date_or_not_at_all": (
        "Retry-After is always there, in seconds: we hold the routine for so long whatever form "
        "the endpoint's had."
    ),
    "test_a_proxys_challenge_is_a_page_and_no_envelope": (
        "The door always answers in the envelope; what a proxy behind it says is no page for a "
        "script."
    ),
    "test_a_hanging_routine_gives_no_answer_and_makes_no_session": HONEST,
    "test_a_slow_routine_makes_its_session_before_it_answers": HONEST,
}
# Special routines that the door answers otherwise: status and type there, and why.
ANSWERED_OTHERWISE = {
    "trig_practice_401": (403, "permission_error", OWN_TOKEN),
    "trig_practice_500": (504, "api_error", HONEST),
    "trig_practice_529": (503, "overloaded_error", "The documented status for the same."),
}
_ROUTINE_ID = re.compile(r"trig_\w+", re.ASCII)


@dataclass
class Practice:
    url: str
    api: PracticeApi
    is_door = False

    def token_for(self, routine_id: str) -> str:
        return self.api.token_for(routine_id)


@dataclass
class Door:
    """The dashboard's; behind it, the practice API. Whatever is fired is registered first."""

    url: str
    api_key: ApiKey
    secret: str
    is_door = True

    @classmethod
    def at(cls, url: str) -> "Door":
        return cls(url, *create_key_and_secret(create_routine(), hourly_cap=1000, daily_cap=1000))

    def token_for(self, routine_id: str) -> str:
        is_new = not Routine.objects.filter(routine_id=routine_id).exists()
        if _ROUTINE_ID.fullmatch(routine_id) and is_new:
            self.api_key.routines.add(create_routine(routine_id=routine_id))
        return self.secret
