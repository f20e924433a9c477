"""What an admin pasted from claude.ai's trigger window, understood.

It may be the whole sample curl command in the words of any shell, the URL, the bare ID, plain
header lines, and the token beside any of them. Nothing pasted is ever repeated in a sentence, and
what is found is held to the same rules as what is typed.
"""

import re
from dataclasses import dataclass, field

from routines.registry import header_versions
from routines.registry.paste import routine_ids, shell_words
from routines.values import tokens
from routines.values.tokens import Token

# Characters. claude.ai's command has 500; one that sends a long text along may have many more.
LONGEST = 200_000

_COMMAND = re.compile(r"(?:^|[\s$>])(?:curl(?:\.exe)?|-H|--header)(?=[\s=])", re.IGNORECASE)
_HEADER = re.compile(r"[\"'{\s-]*([A-Za-z][A-Za-z-]*)[\"']?\s*[:=]\s*(.+)", re.DOTALL)
_KNOWN_HEADERS = {"authorization", "anthropic-beta", "anthropic-version", "x-api-key"}

# Of curl's options those that take a value, in the next word or glued on.
_SHORT_WITH_VALUE = "AbcdeFHKmouwxX"
_LONG_WITH_VALUE = {
    "--cacert",
    "--cert",
    "--config",
    "--connect-timeout",
    "--cookie",
    "--cookie-jar",
    "--data",
    "--data-ascii",
    "--data-binary",
    "--data-raw",
    "--data-urlencode",
    "--form",
    "--form-string",
    "--header",
    "--json",
    "--key",
    "--max-time",
    "--oauth2-bearer",
    "--output",
    "--proxy",
    "--referer",
    "--request",
    "--retry",
    "--retry-delay",
    "--url",
    "--user",
    "--user-agent",
    "--write-out",
}

# What may stand behind a token without being the rest of it: words, as windows and people write.
_WORD = re.compile(r"[A-Z]?[a-z]{2,}")
_BETWEEN_WORDS = re.compile(r"[\s\"'`<>(){}\[\],;]+")  # no ID, URL or token has one of these


class PasteRefused(ValueError):
    """Nothing of it may be used; `str()` is a sentence."""


@dataclass(frozen=True)
class Pasted:
    """What stands in it. None: it is not there, or not as it must be, which `problems` says."""

    routine_id: str | None = None
    token: Token | None = None
    beta_version: str | None = None
    api_version: str | None = None
    problems: tuple[str, ...] = ()


def read(text: str, *, api_base_url: str) -> Pasted:
    """Raise PasteRefused if it is too long, leads to another host, or says nothing at all."""
    if len(text) > LONGEST:
        raise PasteRefused(
            f"This is far too long ({len(text):,} characters): nothing of it was read. Paste the "
            "command, or the URL and the token, and nothing else."
        )
    found = _in_command(text) if _COMMAND.search(text) else _in_lines(text)
    understood = _judge(found, api_base_url)
    if not (understood.problems or understood.routine_id or understood.token):
        raise PasteRefused(
            "No routine ID and no token were found in this. Copy the whole command that the API "
            "trigger's window at claude.ai shows, or its URL and the token."
        )
    return understood


@dataclass
class _Found:
    """Candidates, as they stand in the paste."""

    addresses: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    beta_versions: list[str] = field(default_factory=list)
    api_versions: list[str] = field(default_factory=list)
    api_key: bool = False
    # Something stands behind a token that may be the rest of it.
    token_goes_on: bool = False
    _after_token: bool = False

    def header(self, line: str) -> bool:
        """Take a header that matters; False if `line` is none."""
        header = _HEADER.fullmatch(line.strip())
        name = tokens.INVISIBLE.sub("", header.group(1)).lower() if header else ""
        if header is None or name not in _KNOWN_HEADERS:
            return False
        value = header.group(2).strip().rstrip(",;} ").strip("\"'").strip()
        self._after_token = name == "authorization"
        if name == "authorization":
            self.tokens.append(re.sub(r"\A(?:bearer|token)\s+", "", value, flags=re.IGNORECASE))
        elif name == "x-api-key":
            self.api_key = True
        elif name == "anthropic-beta":
            self.beta_versions.append(value)
        else:
            self.api_versions.append(value)
        return True

    def word(self, word: str) -> None:
        """Take a word that is an ID, a routine's URL or a token by its looks."""
        seen = tokens.INVISIBLE.sub("", word)
        after_token, self._after_token = self._after_token, False
        if seen.startswith(("trig_", "routine_")) or "/routines/" in seen:
            self.addresses.append(seen)
        elif tokens.PREFIX in seen:
            self.tokens.append(word)
            self._after_token = True
        elif after_token and not _WORD.fullmatch(seen):
            self.token_goes_on = True


def _in_lines(text: str) -> _Found:
    found = _Found()
    for line in text.splitlines():
        if not found.header(line):
            for word in _BETWEEN_WORDS.split(line):
                if word:
                    found.word(word.rstrip(".:!?"))
    return found


def _in_command(text: str) -> _Found:
    found = _Found()
    words = shell_words.split(text)
    at = 0
    while at < len(words):
        option, value, at = _option(words, at)
        if option in ("-H", "--header"):
            found.header(value)
        elif option == "--oauth2-bearer":
            found.tokens.append(value)
        elif option == "--url" or (not option and "://" in value):
            found.addresses.append(value)
        elif not option and not found.header(value):
            found.word(value)
    return found


def _option(words: list[str], at: int) -> tuple[str, str, int]:
    """The option at `at`, its value, and where the next begins. Without option: a plain word."""
    word, following = words[at], at + 1
    if not word.startswith("-"):
        return "", word, following
    option, value, takes_value = word, "", False
    if word.startswith("--"):
        option, _, value = word.partition("=")
        takes_value = option in _LONG_WITH_VALUE
    else:
        # Short ones may stand together, the last with its value glued on: -sSHname:value
        for place, letter in enumerate(word[1:], start=1):
            if letter in _SHORT_WITH_VALUE:
                option, value, takes_value = f"-{letter}", word[place + 1 :], True
                break
    if takes_value and not value and following < len(words):
        return option, words[following], following + 1
    return option, value, following


def _judge(found: _Found, api_base_url: str) -> Pasted:
    problems: list[str] = []
    routine_id = _routine_id(found, api_base_url, problems)
    token = _token(found, problems)
    beta_version = _version(found.beta_versions, "beta version", problems)
    api_version = _version(found.api_versions, "API version", problems)
    return Pasted(routine_id, token, beta_version, api_version, tuple(problems))


def _routine_id(found: _Found, api_base_url: str, problems: list[str]) -> str | None:
    good: set[str] = set()
    refused: list[str] = []
    for address in found.addresses:
        try:
            if tokens.PREFIX in address:
                raise routine_ids.RoutineIdRefused(
                    "A token stands inside the URL or ID. Copy the two one by one."
                )
            good.add(routine_ids.parse(address, api_base_url=api_base_url))
        except routine_ids.AnotherHost as another:
            raise PasteRefused(f"{another} Nothing of what was pasted is kept.") from None
        except routine_ids.RoutineIdRefused as refusal:
            refused.append(str(refusal))
    if len(good) > 1:
        problems.append("Two different routine IDs stand in it. Type in the right one.")
    elif not good:
        problems += refused[:1]
    return good.pop() if len(good) == 1 else None


def _token(found: _Found, problems: list[str]) -> Token | None:
    good: list[Token] = []
    refused: list[str] = []
    for candidate in found.tokens:
        try:
            token = tokens.parse(candidate)
        except tokens.TokenRefused as refusal:
            refused.append(str(refusal))
        else:
            if token not in good:
                good.append(token)
        if len(good) > 1:
            break
    if len(good) > 1:
        problems.append("Two different tokens stand in it. Paste the newest alone.")
    elif not good:
        problems += refused[:1]
        if found.api_key and not refused:
            problems.append(
                "An API key (x-api-key) stands in it, which fires no routine. "
                f"A routine's own token starts with {tokens.PREFIX}."
            )
    elif found.token_goes_on:
        problems.append(
            "Something stands behind the token that may be the rest of it: a token that is broken "
            "over lines or holds a space. Copy it whole, again."
        )
    else:
        return good[0]
    return None


def _version(values: list[str], what: str, problems: list[str]) -> str | None:
    good = set()
    for value in values:
        version = tokens.INVISIBLE.sub("", value).strip()
        # A token here would be drawn into the page.
        if header_versions.is_sendable(version) and tokens.PREFIX not in version:
            good.add(version)
    if len(good) > 1:
        problems.append(f"Two different values of the {what} stand in it. Choose one.")
    elif values and not good:
        problems.append(f"The {what} in it cannot be sent as a header. Choose one.")
    return good.pop() if len(good) == 1 else None
