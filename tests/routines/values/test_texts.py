"""The text that is sent along: how it is counted, and what may be in it."""

import pytest

from routines.values import texts
from routines.values.texts import MAX_CHARACTERS, TextRefused


def test_the_limit_is_the_documented_one():
    assert MAX_CHARACTERS == 65_536


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("one\rtwo\r", "one\ntwo\n"),
        ("one\ntwo", "one\ntwo"),
        ("\r\n\r\n", "\n\n"),
        ("\r\r\n\n", "\n\n\n"),
        ("  spaces\tand tabs  ", "  spaces\tand tabs  "),
        ("\u2028\u2029\x0b\x0c\x85", "\u2028\u2029\x0b\x0c\x85"),
    ],
    ids=["nothing", "CRLF", "CR", "LF", "empty lines", "mixed", "spaces", "other separators"],
)
def test_only_line_breaks_are_normalised(typed, kept):
    assert texts.normalise(typed) == kept
    assert texts.normalise(kept) == kept


@pytest.mark.parametrize("character", ["x", "é", "🚀", "\n"])
def test_a_text_is_counted_in_characters(character):
    texts.check(character * MAX_CHARACTERS)
    with pytest.raises(TextRefused, match="The text is 1 character too long"):
        texts.check(character * (MAX_CHARACTERS + 1))


def test_a_text_that_is_too_long_is_told_by_how_much():
    with pytest.raises(TextRefused) as refused:
        texts.check("x" * (MAX_CHARACTERS + 1_234))
    assert str(refused.value) == (
        "The text is 1,234 characters too long: 66,770 of at most 65,536. Shorten it and run again."
    )


@pytest.mark.parametrize(
    "text", ["", "{}", "\t\n", "\x01\x1f\x7f", "\ufffd\ufffe\uffff", "\U0010ffff"]
)
def test_odd_characters_may_be_sent(text):
    texts.check(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\x00b", "NUL character"),
        ("a\ud800b", "half of a character"),
        ("b\udfffc", "half of a character"),
        ("\udc80", "half of a character"),
    ],
)
def test_what_cannot_be_kept_is_refused(text, sentence):
    with pytest.raises(TextRefused, match=sentence):
        texts.check(text)
