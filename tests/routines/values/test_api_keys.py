"""What an API key looks like, and that it is found wherever it stands."""

import base64
import json
import re
from urllib.parse import quote

import pytest

from routines.values import api_keys, redaction, texts

KEY = api_keys.make().reveal()
SAID = "[API key removed]"

SPELLINGS = {
    "plain": KEY,
    "a header": f"Authorization: Bearer {KEY}",
    "JSON": json.dumps({"key": KEY}),
    "an address": f"https://routines.example.com/?key={KEY}&x=1",
    "a quoted address": quote(f"https://routines.example.com/?key={KEY}"),
    "glued to a word": f"key{KEY}",
    "quotes": f"'{KEY}'",
    "wrapped": f"{KEY[:30]}\n{KEY[30:]}",
    "wrapped in a quoted mail": f"{KEY[:30]}\n> {KEY[30:]}",
    "a string broken over lines": f'"{KEY[:25]}" + \\\n  "{KEY[25:]}"',
    "a written line break": f"{KEY[:25]}\\n{KEY[25:]}",
    "spaced": " ".join(KEY),
    "invisible characters": "\u200b".join(KEY),
    "cut": KEY[:30],
    "with a letter wrong": KEY[:-1] + ("a" if KEY[-1] != "a" else "b"),
}
NO_KEYS = (
    "rdk_",
    "The prefix is rdk_, and 46 characters follow it.",
    "rdk_example",
    "a_list_of_words " * 50,
    "rdk_ and then many words that go on for so long that there are forty-six letters of them",
    # A long signed value may hold the prefix by chance.
    f"eyJhbGciOiJ-rdk_{'aZ09' * 20}-x",
)


def test_no_two_are_the_same_and_each_is_as_secret_scanners_are_told():
    made = {api_keys.make().reveal() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"rdk_[0-9A-Za-z]{46}", one) for one in made)
    assert all(api_keys.read(one) is not None for one in made)


def test_one_wrong_character_is_told_anywhere():
    for at in range(4, len(KEY)):
        other = "a" if KEY[at] != "a" else "b"
        assert api_keys.read(KEY[:at] + other + KEY[at + 1 :]) is None


def test_a_secret_is_not_shown_by_accident():
    secret = api_keys.make()
    said = f"{secret} {secret!r} {[secret]} {secret.digest}"
    assert secret.reveal()[4:] not in said
    assert secret.last_four == secret.reveal()[-4:]


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_a_key_is_found_in_every_shape(text):
    assert api_keys.contains_key(f"before {text} after")
    cleaned = redaction.redact(f"before {text} after")
    assert KEY[4:12] not in re.sub(r"[^0-9A-Za-z]", "", cleaned)
    assert KEY[20:28] not in re.sub(r"[^0-9A-Za-z]", "", cleaned)
    assert cleaned.startswith("before ")
    with pytest.raises(texts.TextRefused, match="An API key of this dashboard stands in the text"):
        texts.check(f"before {text} after")


@pytest.mark.parametrize("text", NO_KEYS)
def test_what_is_no_key_stays(text):
    assert not api_keys.contains_key(text)
    assert redaction.redact_typed(text) == text
    texts.check(text)


def test_what_stands_around_a_key_stays():
    assert redaction.redact_tokens(f'<p>{KEY}</p> <i title="{KEY}">x</i>') == (
        f'<p>{SAID}</p> <i title="{SAID}">x</i>'
    )


def test_a_page_loses_whole_keys_alone():
    """What only looks like a part of one may be a form's own signed value."""
    assert redaction.redact_tokens(KEY[:30]) == KEY[:30]
    assert redaction.redact_typed(KEY[:30]) == SAID


def test_redacting_twice_is_redacting_once():
    for text in SPELLINGS.values():
        assert redaction.redact(redaction.redact(text)) == redaction.redact(text)


def test_in_base64_of_a_header_it_is_taken_out_as_any_secret():
    basic = base64.b64encode(f"x:{KEY}".encode()).decode()
    assert basic not in redaction.redact(f"Authorization: Basic {basic}")


@pytest.mark.parametrize(
    "text",
    [
        "rdk_" * 16_000,
        "r d k _ " * 8_000,
        "rdk_" + "\\n" * 30_000,
        "rdk_ " + "a " * 30_000,
        "rdk_" + "a" * 60_000,
        ("rdk_" + "a " * 45) * 600,
        "_" * 65_000,
    ],
    ids=lambda text: text[:12],
)
def test_looking_for_keys_takes_linear_time(text):
    redaction.redact_typed(text)  # in quadratic time it would not end
    api_keys.contains_key(text)
