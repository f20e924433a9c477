"""Short lives: each goes where one step of the domain shows whether it is as it was."""

from tests.routines.runs.life.hosts import ONE, TWO
from tests.routines.runs.life.life import Life


def take(life: Life, host: str = ONE, routine: int = 0) -> None:
    """Claimed and on its way."""
    life.claim(host, routine)
    life.send(life.held[-1])


def attempt(life: Life, kind: str) -> None:
    take(life)
    life.answer(life.flights[0], kind)


def equal_keys(life: Life) -> None:
    life.again(life.accept())


def the_key_of_another(life: Life) -> None:
    life.again(life.accept(), other_person=True)


def all_places_taken(life: Life) -> None:
    life.press(full=True)


def a_press(life: Life) -> None:
    life.press()
    life.answer(life.flights[0], "session")


def presses_under_a_hold(life: Life) -> None:
    life.press()
    life.answer(life.flights[0], "limit for 5 minutes")
    life.press()


def waiting_under_a_hold(life: Life) -> None:
    life.accept(tries_again=True)
    life.accept()
    attempt(life, "limit of the account")
    life.claim(ONE)
    life.pass_time(91)
    take(life)


def lifted(life: Life) -> None:
    life.accept(tries_again=True)
    attempt(life, "limit for 5 minutes")
    life.lift(0)
    life.claim(ONE)


def cancelled_in_between(life: Life) -> None:
    intent = life.accept()
    with life.meanwhile('UPDATE "routines_run"', lambda: life.cancel(intent)):
        life.claim(ONE)


def cancelled_too_late(life: Life) -> None:
    intent = life.accept()
    take(life)
    life.cancel(intent)


def too_late(life: Life) -> None:
    life.accept(wait=20)
    life.pass_time(61)
    life.claim(ONE)


def disabled(life: Life) -> None:
    life.accept()
    life.change(0, "disabled")
    life.claim(ONE)


def not_allowed(life: Life) -> None:
    life.accept()
    life.let(0, False)
    life.claim(ONE)


def moved(life: Life) -> None:
    life.accept()
    life.change(0, "moved")
    take(life)


def other_version(life: Life) -> None:
    life.accept()
    life.change(0, "given another version")
    take(life)


def cooling(life: Life) -> None:
    life.press(routine=2)
    life.answer(life.flights[0], "session")
    life.accept(routine=2, waits_out=True)
    life.set_clock(ONE, 30)
    life.pass_time(31)
    take(life, routine=2)
    life.accept(routine=2, waits_out=True)
    life.set_clock(ONE, -30)
    life.claim(ONE, routine=2)


def cooling_meanwhile(life: Life) -> None:
    life.accept(routine=2)
    life.accept(routine=2)
    take(life, routine=2)
    life.claim(ONE, routine=2)


def in_turn(life: Life) -> None:
    life.accept()
    life.accept()
    life.claim(ONE)


def pauses(life: Life) -> None:
    life.accept(tries_again=True)
    attempt(life, "overloaded")
    life.claim(ONE)


def second_attempt(life: Life) -> None:
    pauses(life)
    life.pass_time(3)
    take(life)


def unknown(life: Life) -> None:
    life.accept(tries_again=True)
    attempt(life, "hangs")
    life.pass_time(300)
    life.claim(ONE)


def pause_beyond_the_deadline(life: Life) -> None:
    life.accept(tries_again=True, wait=20)
    attempt(life, "limit for 5 minutes")


def once_only(life: Life) -> None:
    life.accept()
    attempt(life, "overloaded")


def old_claim(life: Life) -> None:
    life.accept()
    life.claim(ONE)
    life.pass_time(16)
    life.send(life.held[0])
    take(life, TWO)


def old_claim_settled(life: Life) -> None:
    life.accept()
    life.claim(ONE)
    life.pass_time(120)
    life.settle()
    life.send(life.held[0])


def database_away(life: Life) -> None:
    life.accept()
    take(life)
    life.answer(life.flights[0], "session", finds_database=False)


def late_session(life: Life) -> None:
    life.accept()
    take(life)
    life.pass_time(120)
    life.settle()
    life.answer(life.flights[0], "session")


def late_refusal(life: Life) -> None:
    life.accept(tries_again=True)
    take(life)
    life.pass_time(120)
    life.settle()
    life.answer(life.flights[0], "overloaded")


def late_nothing(life: Life) -> None:
    intent = life.accept()
    take(life)
    life.pass_time(120)
    life.settle()
    life.say(intent, started=True)
    life.answer(life.flights[0], "dropped")


def last_refusal(life: Life) -> None:
    life.accept(tries_again=True)
    attempt(life, "overloaded")
    life.pass_time(601)
    life.settle()


def too_early(life: Life) -> None:
    life.accept()
    take(life)
    life.pass_time(30)
    life.settle()


def claimed_while_settling(life: Life) -> None:
    """A host whose clock is 30 seconds ahead takes it for too late; another one claims it."""
    life.set_clock(TWO, 30)
    life.accept(wait=20)
    with life.meanwhile('UPDATE "routines_run"', lambda: take(life)):
        life.settle(TWO)


def claimed_before_it_is_read(life: Life) -> None:
    life.set_clock(TWO, 30)
    life.accept(wait=20)
    with life.meanwhile('"routines_run"."id" IN', lambda: take(life)):
        life.settle(TWO)


def attempted_anew_while_settling(life: Life) -> None:
    life.accept(tries_again=True)
    take(life)
    life.pass_time(120)

    def anew() -> None:
        life.answer(life.flights[0], "overloaded")
        life.pass_time(3)
        take(life)

    with life.meanwhile("SAVEPOINT", anew):
        life.settle(TWO)


def people_and_an_answer(life: Life) -> None:
    intent = life.accept()
    attempt(life, "paused")
    life.say(intent, started=True)


def waited_for_hours(life: Life) -> None:
    life.accept(wait=7200)
    life.pass_time(3700)
    attempt(life, "session")
