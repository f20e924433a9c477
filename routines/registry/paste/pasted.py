"""What an admin pasted: a routine ID, a token and the two header versions, or some of them.

Each has a shape of its own, so each is found by its pattern wherever it stands: in the command
that claude.ai shows, in the words of any other program, or in a chat message. Nothing pasted is
ever repeated in a sentence, and what is found is held to the same rules as what is typed.
"""

import re
from dataclasses import dataclass, replace

from routines.models import Header
from routines.registry import header_versions
from routines.registry.paste import routine_ids
from routines.values import pasted_text, tokens
from routines.values.tokens import Token

# Characters. claude.ai's command has 500; one that sends a long text along may have many more.
LONGEST = 200_000

# The text that a command sends along: what it mentions is not the routine.
_SENT_TEXT = re.compile(r"(?<![\w-])text[\"']?\s{0,9}[:=]\s{0,9}(?:\"[^\"\n]*\"|'[^'\n]*')")

_VERSION = re.compile(
    rf"anthropic(?:[-_]|{pasted_text.DASHES.pattern})(beta|version)"
    # The value in the next line, as a table is copied; or what programs write between the two, as
    # in {"key": "anthropic-beta", "value": "..."}.
    r"(\s{0,20}\n\s{0,40}(?=\S{0,100}\d-\d\d\s)"
    r"|[^\w\n]{0,20}(?:\s{0,40}[\"']?value[^\w\n]{1,20})?)"
    rf"((?:(?!anthropic)[^\n\[\]{pasted_text.DELIMITERS}]|,(?=\S))*)",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[:=,|\t\n\uff1a]|value", re.IGNORECASE)


class PasteRefused(ValueError):
    """Nothing of it may be used; `str()` is a sentence."""


class NothingFound(PasteRefused):
    """It holds no routine ID and no token."""


@dataclass(frozen=True)
class Pasted:
    """What stands in it. None: it is not there, or not as it must be, which `problems` says."""

    routine_id: str | None = None
    token: Token | None = None
    beta_version: str | None = None
    api_version: str | None = None
    problems: tuple[str, ...] = ()
    id_problem: str = ""  # the one of them that is about the routine ID

    @property
    def holds_more_than_a_token(self) -> bool:
        return any((self.routine_id, self.id_problem, self.beta_version, self.api_version))


def read_token(text: str, *, api_base_url: str) -> Pasted:
    """What stands in `text`, which was to be a token, and may be all that `read` takes.

    Raises: PasteRefused as `read` does; TokenRefused if no token of it can be used.
    """
    try:
        understood = read(text, api_base_url=api_base_url)
    except NothingFound:
        understood = Pasted()
    if understood.token is None or not understood.holds_more_than_a_token:
        return replace(understood, token=tokens.parse(text))
    return understood


def read(text: str, *, api_base_url: str) -> Pasted:
    """What stands in `text`.

    Raises: PasteRefused if it is too long, leads to another host, or says nothing at all.
    """
    if len(text) > LONGEST:
        raise PasteRefused(
            f"This is far too long ({len(text):,} characters): nothing of it was read. Paste the "
            "command, or the URL and the token, and nothing else."
        )
    text = pasted_text.plain(text.replace('\\"', '"'))
    for part in (_SENT_TEXT.sub(" ", text), text):
        understood = _read(part, api_base_url)
        if understood.problems or understood.routine_id or understood.token:
            return understood
    raise NothingFound(
        "No routine ID and no token were found in this. Copy the whole command that the API "
        "trigger's window at claude.ai shows, or its URL and the token."
    )


def _read(text: str, api_base_url: str) -> Pasted:
    problems: list[str] = []
    routine_id, token, id_problem = None, None, ""
    try:
        routine_id = routine_ids.find(text, api_base_url=api_base_url)
    except routine_ids.AnotherHost as another:
        raise PasteRefused(f"{another} Nothing of what was pasted is kept.") from None
    except routine_ids.RoutineIdRefused as refused:
        id_problem = str(refused)
        problems.append(id_problem)
    try:
        token = tokens.find(text)
    except tokens.TokenRefused as refused:
        problems.append(str(refused))
    beta_version = _version(text, Header.BETA, problems)
    api_version = _version(text, Header.API, problems)
    problems = list(dict.fromkeys(problems))
    return Pasted(routine_id, token, beta_version, api_version, tuple(problems), id_problem)


def _version(text: str, header: Header, problems: list[str]) -> str | None:
    named = {Header.BETA: "beta", Header.API: "version"}[header]
    values = [
        pasted_text.INVISIBLE.sub("", value).strip().rstrip(".,")
        for name, between, value in _VERSION.findall(text)
        if name.lower() == named and value.strip() and _SEPARATOR.search(between)
    ]
    sendable = {version for version in map(_first_word, values) if version is not None}
    if len(sendable) > 1:
        problems.append(f"Two different values of the {header.label} stand in it. Choose one.")
    elif values and not sendable:
        problems.append(f"The {header.label} in it cannot be sent as a header. Choose one.")
    return sendable.pop() if len(sendable) == 1 else None


def _first_word(value: str) -> str | None:
    """The version in front; None if it is none that can be sent, or more of it seems to follow."""
    version, _, rest = value.partition(" ")
    follows = rest.strip().partition(" ")[0]
    if version.endswith("."):  # of a sentence
        version, follows = version.rstrip("."), ""
    goes_on = follows and not follows.startswith("-") and not re.search("[:=,/]", follows)
    return version if header_versions.is_sendable(version) and not goes_on else None
