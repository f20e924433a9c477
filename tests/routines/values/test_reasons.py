"""The table of everything that can come of a press: complete, and of one mind."""

import pytest
from django.db.models import CharField

from routines.models import Run
from routines.values.next_steps import Actor, Again
from routines.values.reasons import (
    AGAIN_AFTER,
    MEANINGS,
    OPEN,
    SAID_BY_PEOPLE,
    Reason,
    State,
)


def test_every_reason_has_a_meaning_and_every_state_reasons():
    assert set(MEANINGS) == set(Reason)
    assert {meaning.state for meaning in MEANINGS.values()} == set(State)
    assert set(AGAIN_AFTER) == set(State)
    assert {meaning.who_acts for meaning in MEANINGS.values()} == set(Actor)


def test_every_state_says_something_else_about_pressing_again():
    assert sorted(AGAIN_AFTER.values()) == sorted(Again)


def test_every_reason_has_words_of_its_own():
    assert len({reason.label for reason in Reason}) == len(Reason)
    assert len({meaning.cause for meaning in MEANINGS.values()}) == len(MEANINGS)


@pytest.mark.parametrize("reason", Reason)
def test_cause_and_remedy_are_whole_sentences(reason):
    meaning = MEANINGS[reason]
    for sentence in (meaning.cause, meaning.remedy):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert sentence == " ".join(sentence.split())


@pytest.mark.parametrize("reason", Reason)
def test_the_sentences_say_what_the_state_says(reason):
    """Whether something was sent or started is the first thing people must know."""
    meaning = MEANINGS[reason]
    assert ("Nothing was sent." in meaning.cause) is (meaning.state == State.NOT_SENT)
    nothing_started = "Nothing was started." in meaning.cause or "no session" in meaning.cause
    assert nothing_started is (meaning.state == State.REFUSED)
    look_first = "Look at claude.ai/code whether a session exists" in meaning.remedy
    assert look_first is (meaning.state == State.UNKNOWN)


def test_only_what_may_have_made_a_session_asks_to_look_first():
    assert {reason for reason in Reason if MEANINGS[reason].again == Again.LOOK_FIRST} == {
        Reason.SERVER_ERROR,
        Reason.UNREADABLE_ANSWER,
        Reason.UNEXPECTED_ANSWER,
        Reason.SESSION_NAMED,
        Reason.SESSION_TAKEN,
        Reason.RESTORED,
        Reason.NO_ANSWER,
        Reason.CONNECTION_LOST,
        Reason.INTERRUPTED,
    }


def test_people_say_either_that_it_started_or_that_it_did_not():
    said = [MEANINGS[reason].state for reason in SAID_BY_PEOPLE]
    assert said == [State.STARTED, State.REFUSED]


@pytest.mark.parametrize(("column", "kept"), [("reason", Reason), ("state", State)])
def test_every_reason_and_state_fits_its_column(column, kept):
    field = Run._meta.get_field(column)
    assert isinstance(field, CharField)
    assert field.max_length is not None
    assert max(map(len, kept.values)) <= field.max_length


@pytest.mark.parametrize(
    "reason", [reason for reason in Reason if MEANINGS[reason].state not in OPEN]
)
def test_somebody_must_act_once_a_run_is_settled(reason):
    assert MEANINGS[reason].who_acts != Actor.NOBODY
