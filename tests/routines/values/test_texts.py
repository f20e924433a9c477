"""The text that is sent along: how it is counted, and what may be in it."""

import pytest

from routines.values import texts, tokens
from routines.values.redaction import redact_tokens
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


TOKEN = "sk-ant-oat01-Q7hVw2_tR9-kLmZ4xPbN0sDfGyJc8uEi3oAa5vBn"
GAPS = ["\n", "\r\n", "  \n  ", "\\n", "\n> ", " ", "\t", " \\\n", '" +\n  "', "\u200b\n", "\u00ad"]


@pytest.mark.parametrize("gap", GAPS)
def test_a_token_that_is_broken_anywhere_is_refused_and_taken_out(gap: str):
    for at in range(1, len(TOKEN) - 1):
        text = f"Use {TOKEN[:at]}{gap}{TOKEN[at:]} here"
        with pytest.raises(texts.TextRefused, match="token stands in the text"):
            texts.check(text)
        left = redact_tokens(text)
        pieces = (TOKEN[start : start + 12] for start in range(13, len(TOKEN) - 12))
        assert not [piece for piece in pieces if piece in left], left


@pytest.mark.parametrize("width", [1, 2, 4, 8, 10, 16, 20])
@pytest.mark.parametrize("gap", ["\n", " ", "\n    "])
def test_a_token_in_many_pieces_is_refused_and_taken_out(width: int, gap: str):
    text = gap.join(TOKEN[at : at + width] for at in range(0, len(TOKEN), width))
    with pytest.raises(texts.TextRefused, match="token stands in the text"):
        texts.check(f"Use {text}!")
    rest = redact_tokens(f"Use {text}!").removeprefix("Use [token removed]")
    assert len("".join(rest.split())) <= 10  # the last piece looks like any word


@pytest.mark.parametrize(
    "text",
    [
        "Every token starts with sk-ant-oat01- and goes on.",
        "The prefix is sk-ant-oat01-\nThe rest is secret since 2026-04-01.",
        "sk-ant-oat01-...\nand SOME iPhones",
        "`sk-ant-oat01-`, `trig_01ABC` and so on",
        "sk-ant-oat01-, experimental-cc-routine-2026-04-01, claude.ai/code/session_01ABCdefGH",
        "ask an ant: oat 01 - no",
    ],
)
def test_a_mere_mention_of_the_prefix_is_no_token(text: str):
    texts.check(text)


def test_looking_for_broken_tokens_takes_linear_time():
    for text in ("sk-ant-oat01- a\n" * 4_000, "sk-ant-oat01-A1b2 " * 3_600, "s k - " * 10_000):
        tokens.contains_token(text)  # in quadratic time it would not end
        redact_tokens(text)
