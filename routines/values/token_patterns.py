"""What a routine token looks like, and finding the one that stands in what somebody pasted."""

import re
from dataclasses import dataclass

from routines.values import broken_tokens, pasted_text
from routines.values.pasted_text import INVISIBLE

PREFIX = "sk-ant-oat01-"  # documented: every routine token starts with it

_MAX_CHARACTERS = 4_096
# The characters that RFC 6750 allows in a bearer token. Anything else would be refused by the
# HTTP layer, in an exception whose text holds the whole header.
_TOKEN = re.compile(
    rf"{re.escape(PREFIX)}(?P<body>(?:(?!{re.escape(PREFIX)})[A-Za-z0-9\-._~+/])*=*)", re.ASCII
)
_TOKEN_CHARACTER = re.compile(r"[A-Za-z0-9\-._~+/=]", re.ASCII)
_PLACEHOLDER = re.compile(r"[xX.*_-]*|token|(?:your|my)[-_].{0,30}", re.IGNORECASE)
# What stands for the characters that a page or a chat has left out.
_LEFT_OUT = re.compile(r"[.*]{2,}|[…‥•●·]")
_END_OF_BOLD = re.compile(r"\*\*(?![\w*])")  # Markdown's
_QUOTE_AFTER_BLANK = re.compile("[ \\t][\"'\u201c\u2018\u201e]")
# Long enough to be no mention of the prefix.
_TOKEN_IN_TEXT = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9_-]{8}", re.ASCII)
_OTHER_KEY = re.compile(r"\bsk-ant-(?!oat01-)[a-z]{2,6}[0-9]{1,3}-", re.ASCII)

INSIDE_AN_ADDRESS = "A token stands inside the URL or ID. Copy the two one by one."
_BROKEN = "The token is broken over lines or holds a space. Copy it whole, again."
_INVISIBLE = (
    "The token holds invisible characters, as chat programs add them. Copy it from claude.ai "
    "itself."
)


class TokenRefused(ValueError):
    """What was pasted is not a routine token; `str()` says why and never repeats it."""


def contains_whole_token(text: str) -> bool:
    """True if a token stands in `text`, or what is left of one, with no gap inside."""
    # Invisible characters are none of ASCII, and a token is of nothing else: whole pages are
    # looked at, and this tells nearly all of them at a tenth of the time.
    if PREFIX not in text.encode("ascii", "ignore").decode("ascii"):
        return False
    return _TOKEN_IN_TEXT.search(INVISIBLE.sub("", text)) is not None


def contains_token(text: str) -> bool:
    """True if a token stands in what somebody typed, be it broken over lines or spaced."""
    if contains_whole_token(text):
        return True
    if not broken_tokens.may_stand_in(text, PREFIX):
        return False
    return any(True for _ in broken_tokens.spans(broken_tokens.visible(text), PREFIX))


def find(text: str, *, alone: bool = False) -> str | None:
    """The one token in `text`, whatever stands around it.

    Arguments:
        alone: nothing but a token was asked for, so a plain word behind it may be its rest.

    Returns: the token in plain text; None if there is none.
    Raises: TokenRefused if there are several, or if it is broken, cut or a placeholder.
    """
    text = pasted_text.plain(text)
    found = [_look_at(text, match, alone=alone) for match in _TOKEN.finditer(text)]
    whole = {one.token for one in found if not one.problem}
    if len(whole) > 1:
        raise TokenRefused("Two different tokens stand in it. Paste the newest alone.")
    for one in found:
        # What a page shows shortened may stand in full beside it.
        if one.problem and not any(token.startswith(one.token) for token in whole):
            raise TokenRefused(one.problem)
    if whole:
        return whole.pop()
    if problem := _problem_without_prefix(text):
        raise TokenRefused(problem)
    return None


@dataclass(frozen=True)
class _Found:
    token: str  # of a damaged one what there is of it; of a placeholder the prefix
    problem: str = ""


def _look_at(text: str, found: re.Match[str], *, alone: bool) -> _Found:
    body, end = found["body"], found.end()
    following = text[end : end + 1]
    left_out = _LEFT_OUT.search(body) or (
        _LEFT_OUT.match(text, end) and not _END_OF_BOLD.match(text, end)
    )
    if _PLACEHOLDER.fullmatch(body):
        return _Found(PREFIX, "This is the placeholder of the documentation, not a token.")
    if left_out:
        shown = PREFIX + body.partition("..")[0]
        return _Found(shown, "The token is cut short: a part was left out. Copy it whole, again.")
    if pasted_text.ends_value(following):
        body = body.rstrip(".")
    token = PREFIX + body
    if following == "@" or text[max(found.start() - 5, 0) : found.start()] == "trig_":
        return _Found(token, INSIDE_AN_ADDRESS)
    if "trig_" in body or text.startswith("://", end) or _ends_in_an_option(text, body, end):
        return _Found(token, "Something stands glued to the token. Copy the token alone.")
    if INVISIBLE.match(following) and _goes_on_behind_invisible(text, end):
        return _Found(token, _INVISIBLE)
    if not pasted_text.ends_value(following) or _is_dash_inside(text, end):
        return _Found(token, "The token holds characters that no token has. Copy it again.")
    if pasted_text.may_go_on(text, end, alone=alone):
        return _Found(token, _BROKEN)
    if len(token) > _MAX_CHARACTERS:
        return _Found(token, f"This is too long for a token ({len(token):,} characters).")
    return _Found(token)


def _ends_in_an_option(text: str, body: str, end: int) -> bool:
    """`...-H "anthropic-version: ..."`: the quote behind the token is lost, and the blank, too."""
    return body.endswith(("-H", "-d", "-header")) and bool(_QUOTE_AFTER_BLANK.match(text, end))


def _goes_on_behind_invisible(text: str, end: int) -> bool:
    return _TOKEN_CHARACTER.match(INVISIBLE.sub("", text[end : end + 20])) is not None


def _is_dash_inside(text: str, end: int) -> bool:
    return bool(pasted_text.DASHES.match(text, end) and _TOKEN_CHARACTER.match(text, end + 1))


def _problem_without_prefix(text: str) -> str:
    """Why no token's prefix stands in `text` though one was copied; empty if none was."""
    visible = INVISIBLE.sub("", text)
    for mended, problem in (
        (visible, _INVISIBLE),
        (re.sub(r"\s+", "", visible), _BROKEN),
        (
            pasted_text.DASHES.sub("-", text),
            "The hyphens of the token were turned into dashes. Copy it from claude.ai itself.",
        ),
    ):
        if _TOKEN_IN_TEXT.search(mended):
            return problem
    if _OTHER_KEY.search(text):
        return (
            "An API key or another secret of Anthropic stands in it, which fires no routine. "
            f"A routine token starts with {PREFIX}."
        )
    return ""
