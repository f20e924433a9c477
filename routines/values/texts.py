"""The text that is sent along with a fire: how it is counted and what may be in it."""

import re

from routines.values import api_keys, tokens

# "a string of at most 65,536 characters": fire-API reference, request body.
MAX_CHARACTERS = 65_536
# The routine gets the text in a block of this name, labelled untrusted (docs/fire-api.md).
_GAP = r"[\s\u200b-\u200f\u2060\ufeff]*"
_END_OF_BLOCK = re.compile(rf"<(?={_GAP}/{_GAP}routine-fire-payload)", re.IGNORECASE)
LONGEST_LINE = 200  # of what stands for a text in lists, and is left of one that was shortened


class TextRefused(ValueError):
    """The text cannot be sent; `str()` is a sentence for the person who typed it."""


def normalise(typed: str) -> str:
    """Browsers send line breaks as CRLF whatever was typed; the routine gets, and we count, LF."""
    return typed.replace("\r\n", "\n").replace("\r", "\n")


def kept_inside(text: str) -> str:
    """What it says can end the block that it is sent in no more: its closing tag loses the "<".

    An alert may hold what a stranger wrote, and behind that tag it would read as an instruction of
    the routine's owner. The mark in its place is as long, and nothing to JSON.
    """
    return _END_OF_BLOCK.sub("‹", text)


def check(text: str) -> None:
    """Raise TextRefused unless `text` (normalised) is one that the endpoint and we can keep."""
    if len(text) > MAX_CHARACTERS:
        over = len(text) - MAX_CHARACTERS
        raise TextRefused(
            f"The text is {over:,} character{'s' if over > 1 else ''} too long:"
            f" {len(text):,} of at most {MAX_CHARACTERS:,}. Shorten it and run again."
        )
    if tokens.contains_token(text):
        raise TextRefused(
            "A token stands in the text, where others would see it. Nothing was kept of it, and "
            "nothing was sent. Take the token out."
        )
    if api_keys.contains_key(text):
        raise TextRefused(
            "An API key of this dashboard stands in the text, where others would see it. Nothing "
            "was kept of it, and nothing was sent. Take the key out, and revoke it if it is in use."
        )
    if "\x00" in text:
        raise TextRefused("The text holds a NUL character, which cannot be stored. Remove it.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise TextRefused("The text holds half of a character (a lone surrogate). Remove it.")


def first_line(text: str) -> str:
    """The first line that says something."""
    for line in text.splitlines():
        if line.strip(" \t{}[]"):
            return line.strip()[:LONGEST_LINE]
    return text.strip()[:LONGEST_LINE]
