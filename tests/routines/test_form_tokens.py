"""Tokens between two steps of a form, and tokens where none belongs."""

from datetime import timedelta

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.utils import timezone

from routines.values import tokens

PLAIN = "sk-ant-oat01-practice-0123456789"
FORM = "register form of 1"


@pytest.fixture
def encrypted() -> str:
    return tokens.encrypt_for_form(tokens.parse(PLAIN), form=FORM)


def test_what_a_form_carries_is_ciphertext_that_its_own_form_opens(encrypted: str):
    assert PLAIN[13:] not in encrypted
    assert tokens.decrypt_from_form(encrypted, form=FORM) == tokens.parse(PLAIN)


def test_another_form_or_person_does_not_open_it(encrypted: str):
    for other in ("register form of 2", "token form for 1 of 1", ""):
        with pytest.raises(tokens.FormTokenLost):
            tokens.decrypt_from_form(encrypted, form=other)


def test_it_opens_for_fifteen_minutes_and_no_longer():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        encrypted = tokens.encrypt_for_form(tokens.parse(PLAIN), form=FORM)
        clock.shift(tokens.FORM_LIFETIME)
        tokens.decrypt_from_form(encrypted, form=FORM)
        clock.shift(timedelta(seconds=1))
        with pytest.raises(tokens.FormTokenLost):
            tokens.decrypt_from_form(encrypted, form=FORM)


@pytest.mark.parametrize("place", [0, 9, 40, -1])
def test_altered_it_does_not_open(encrypted: str, place: int):
    letters = list(encrypted)
    letters[place] = "A" if letters[place] != "A" else "B"
    with pytest.raises(tokens.FormTokenLost):
        tokens.decrypt_from_form("".join(letters), form=FORM)


@pytest.mark.parametrize("nonsense", ["", "x", "é", "gAAAAA", PLAIN])
def test_nonsense_does_not_open(nonsense: str):
    with pytest.raises(tokens.FormTokenLost):
        tokens.decrypt_from_form(nonsense, form=FORM)


def test_without_its_key_it_does_not_open(encrypted: str, settings):
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(tokens.FormTokenLost):
        tokens.decrypt_from_form(encrypted, form=FORM)


def test_what_is_stored_and_what_a_form_carries_do_not_open_as_each_other(encrypted: str):
    stored = tokens.encrypt(tokens.parse(PLAIN), routine_id="trig_a")
    with pytest.raises(tokens.FormTokenLost):
        tokens.decrypt_from_form(stored, form=FORM)
    with pytest.raises(tokens.TokenUnreadable):
        tokens.decrypt(encrypted, routine_id="trig_a")


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        (PLAIN, True),
        (f"before {PLAIN} after", True),
        (f"{PLAIN[:16]}\u200b{PLAIN[16:]}", True),
        ("It starts with sk-ant-oat01-.", False),
        ("sk-ant-oat01-…", False),
        ("", False),
    ],
)
def test_a_token_in_a_text_is_told_from_a_mention(text: str, stands: bool):
    assert tokens.contains_token(text) is stands
