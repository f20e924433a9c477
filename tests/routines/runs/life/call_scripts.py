"""Short lives of programs' calls, as those in scripts.py."""

from routines.models import WhyNoRun
from tests.routines.runs.life.hosts import ONE
from tests.routines.runs.life.house import HOURLY_CAP
from tests.routines.runs.life.life import Life
from tests.routines.runs.life.scripts import take


def repeated(life: Life) -> None:
    intent = life.call()
    life.again(intent)
    life.answer(life.flights[0], "session")
    life.again(intent)


def key_of_another_caller(life: Life) -> None:
    life.again(life.call(), other_person=True)


def key_of_another_intent(life: Life) -> None:
    life.again(life.call(), other_routine=True)


def asked_again_when_it_passes(life: Life) -> None:
    intent = life.call()
    life.answer(life.flights[0], "overloaded")
    life.again(intent)
    life.pass_time(61)
    life.again(intent)
    take(life)
    life.answer(life.flights[0], "session")
    life.pass_time(61)
    life.again(intent)


def asked_again_when_nothing_passes(life: Life) -> None:
    intent = life.call()
    life.answer(life.flights[0], "session")
    life.pass_time(3601)
    life.again(intent)


def asked_again_of_a_closed_routine(life: Life) -> None:
    intent = life.call()
    life.answer(life.flights[0], "overloaded")
    life.pass_time(61)
    life.change(0, "disabled")
    life.again(intent)
    assert intent.why == WhyNoRun.CLOSED


def asked_again_beyond_the_cap(life: Life) -> None:
    intent = life.call()
    life.answer(life.flights[0], "no connection")
    for _ in range(HOURLY_CAP):
        life.call(comes_back=True)
    life.pass_time(6)
    life.again(intent)
    assert intent.why == WhyNoRun.HOURLY_CAP


def beyond_the_cap(life: Life) -> None:
    for _ in range(HOURLY_CAP):
        life.call(comes_back=True)
    assert life.call().why == WhyNoRun.HOURLY_CAP
    life.pass_time(3601)
    assert life.call().run is not None


def without_keys_beyond_the_cap(life: Life) -> None:
    for _ in range(HOURLY_CAP + 1):
        life.call(idempotency_key="", comes_back=True)


def cancelled_below_the_cap(life: Life) -> None:
    for _ in range(HOURLY_CAP):
        life.cancel(life.call(comes_back=True))
    assert life.call(comes_back=True).run is not None, "what cost nothing counts"


def repeated_at_the_cap(life: Life) -> None:
    intents = [life.call(comes_back=True) for _ in range(HOURLY_CAP)]
    life.again(intents[0])


def repeated_at_the_cap_at_once(life: Life) -> None:
    for _ in range(HOURLY_CAP - 1):
        life.call(comes_back=True)
    life.call_twice_at_once()


def turned_away_under_a_hold(life: Life) -> None:
    life.press()
    life.answer(life.flights[0], "limit for 5 minutes")
    intent = life.call()
    assert intent.why == WhyNoRun.ON_HOLD
    waits = life.call(comes_back=True)
    assert waits.run is not None
    life.claim(ONE)


def revoked(life: Life) -> None:
    life.revoke(0, cancels=False)
    assert life.call().why == WhyNoRun.REVOKED


def revoked_while_it_waits(life: Life) -> None:
    """What was accepted is sent all the same, unless it is cancelled with the key."""
    life.call(comes_back=True)
    life.revoke(0, cancels=False)
    take(life)


def revoked_with_what_waits(life: Life) -> None:
    life.call(comes_back=True)
    life.call(comes_back=True)
    life.revoke(0, cancels=True)
    assert not life.claim(ONE)


def grant_taken_away(life: Life) -> None:
    life.call(comes_back=True)
    life.grant(False)
    life.claim(ONE)


def never_granted(life: Life) -> None:
    life.grant(False)
    assert life.call().why == WhyNoRun.NOT_OPEN


def person_may_no_more(life: Life) -> None:
    life.call(api_key=1, comes_back=True)
    life.let(0, False)
    life.claim(ONE)
    assert life.call(api_key=1).why == WhyNoRun.NOT_OPEN


def comes_back_for_it(life: Life) -> None:
    life.call(comes_back=True)
    take(life)
    life.answer(life.flights[0], "overloaded")
    life.pass_time(3)
    take(life)
