"""Reads docs/rights.md: what the tests hold is what people read."""

from pathlib import Path
from typing import Any

from django.urls import reverse

PAGE = Path(__file__).resolve().parent.parent / "docs" / "rights.md"

# The table's columns, in its order.
WHO = (
    "nobody",
    "no role",
    "teammate",
    "other group",
    "manager",
    "admin",
    "deactivated",
)
LOOK, PRESS = "look", "press"
ASKS = ", asks"  # behind the verb
_WORDS = {
    LOOK: {200: "yes", 302: "elsewhere", 403: "no", 404: "hidden", 405: "-"},
    PRESS: {200: "yes", 302: "done", 401: "sign in", 403: "no", 404: "hidden", 405: "-"}
    | {422: "incomplete"},
}


def rights() -> dict[tuple[str, str], dict[str, str]]:
    """By address and verb: the word for everybody."""
    return {
        (address, verb.removesuffix(ASKS)): dict(zip(WHO, words, strict=True))
        for address, verb, *words in _lines("address")
    }


def asking() -> set[tuple[str, str]]:
    """The address and verb of all that ask for a recent sign-in."""
    lines = _lines("address")
    return {(line[0], line[1].removesuffix(ASKS)) for line in lines if line[1].endswith(ASKS)}


def commands() -> list[str]:
    return [cells[0] for cells in _lines("command")]


def left_out(verb: str) -> dict[str, str]:
    """What a verb that has no line means: who is signed in is told that there is no such thing."""
    return {who: "sign in" if who in ("nobody", "deactivated") else "-" for who in WHO}


def word_for(response: Any, verb: str) -> str:
    """The table's word for what somebody got; a status that has none stands for itself."""
    status = response.status_code
    if status == 302 and verb == LOOK and response.url.startswith(reverse("account_login")):
        return "sign in"
    return _WORDS[verb].get(status, str(status))


def _lines(first_heading: str) -> list[list[str]]:
    """The cells of every line of all tables whose first column is headed so."""
    found: list[list[str]] = []
    inside = False
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == first_heading:
            inside = True
        elif inside and not set(line) <= set("|-: "):
            found.append(cells)
    return found
