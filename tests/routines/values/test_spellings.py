"""A message that repeats the token is dropped, whatever the token was turned into on the way."""

import base64
import random
import string

import pytest

from routines.values.redaction import MESSAGE_REMOVED, Redactor
from routines.values.tokens import PREFIX, Token
from tests.token_spellings import SPELLINGS

BODY = "Q7hVw2_tR9-kLmZ4xPbN0sDfGyJc8uEi3oAa5vBnW1rT6yUqKj"
TOKEN = PREFIX + BODY


def kept(value: str) -> str:
    return Redactor(Token(TOKEN)).redact(value, longest=2_000)


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
def test_a_token_that_comes_back_in_another_spelling_drops_the_whole_message(spelled):
    assert kept(f"Invalid token: {spelled(TOKEN)}, sorry") == MESSAGE_REMOVED


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
def test_a_part_of_it_is_enough(spelled):
    assert kept(f"Bad: {spelled(BODY[10:40])}") == MESSAGE_REMOVED


@pytest.mark.parametrize("name", ["plain", "backwards", "apart: ' '", "hexadecimal", "JSON"])
def test_twelve_characters_are_enough_and_it_does_not_matter_which(name: str):
    for start in range(len(BODY) - 11):
        assert kept(SPELLINGS[name](BODY[start : start + 12])) == MESSAGE_REMOVED


def test_what_only_looks_like_an_encoding_stays():
    generator = random.Random(7)
    for _ in range(50):
        raw = generator.randbytes(150)
        letters = "".join(generator.choices(string.ascii_letters + string.digits, k=100))
        for message in (
            f"https://claude.ai/code/session_{letters}",
            base64.b64encode(raw).decode(),
            base64.b32encode(raw).decode(),
            raw.hex(),
            str(list(raw)),
        ):
            assert kept(message) == message


@pytest.mark.parametrize(
    "message",
    ["&#x73;" * 11_000, "a\u0301" * 30_000, "<" * 65_000, "%25" * 20_000, "0x" * 30_000],
    ids=["entities", "accents", "brackets", "percent", "hexadecimal"],
)
def test_a_message_of_any_length_is_cut_before_it_is_taken_apart(message: str):
    assert len(kept(message)) == 2_000
