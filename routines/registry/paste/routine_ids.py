"""Finding the routine ID in what an admin pasted: the bare ID, or a URL that holds it."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from routines.models import ROUTINE_ID
from routines.values import pasted_text, tokens
from routines.values.token_patterns import INSIDE_AN_ADDRESS

_WORD = re.compile(rf"[^\s{pasted_text.DELIMITERS}]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://", re.ASCII)
_HOST_HEADER = re.compile(r"^[ \t]*host[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_BARE = re.compile(rf"(?:.*[=:/@#])?({ROUTINE_ID})(?:/fire)?/?", re.ASCII)
_IN_PATH = re.compile(rf"/(?:v1/claude_code|code)/routines/({ROUTINE_ID})(?:/fire)?/?", re.ASCII)

# As the documentation writes them: trig_01ABCDEF..., trig_01ABCDEFGHJKLMNOPQRSTUVW, trig_xxxxx.
_PLACEHOLDER = re.compile(
    r"trig_(01ABCDEF.*|[xX.…*_-]+|\[.*|(your|my)[-_].*|(routine_?)?id)?", re.IGNORECASE
)
_PLACEHOLDER_SENTENCE = "This is the placeholder of the documentation, not a routine ID."
_CUT = "The routine ID is cut short: a part was left out. Copy it whole, again."
_BROKEN = "The routine ID is broken over lines or holds a space. Copy it whole, again."


class RoutineIdRefused(ValueError):
    """`str()` is a sentence that says what to paste instead."""


class AnotherHost(RoutineIdRefused):
    """A URL that leads to a host other than the configured one."""


def parse(pasted: str, *, api_base_url: str) -> str:
    """The `trig_...` that was asked for alone, as find does.

    Raises: RoutineIdRefused if there is none, too.
    """
    found = _find(pasted, api_base_url, alone=True)
    if found is None:
        raise RoutineIdRefused("Paste the routine ID (it starts with trig_) or the fire URL.")
    return found


def find(text: str, *, api_base_url: str) -> str | None:
    """The one `trig_...` in `text`: bare, in the fire URL, or in the routine's page at claude.ai.

    Arguments:
        api_base_url: whose host, beside claude.ai, a URL may lead to.

    Returns: None if no ID and no URL stands in it.
    Raises: AnotherHost; RoutineIdRefused if there are several, or none that is whole.
    """
    return _find(text, api_base_url, alone=False)


@dataclass
class _Found:
    whole: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    leads_elsewhere: bool = False  # a URL of another host that names no routine


def _find(text: str, api_base_url: str, *, alone: bool) -> str | None:
    text = pasted_text.INVISIBLE.sub("", pasted_text.plain(text))
    api_host = _host_of(api_base_url)
    another_host = AnotherHost(
        f"This URL leads to another host. Runs are only ever sent to {api_host}."
    )
    found = _Found()
    for word in _WORD.finditer(text):
        if not _look_at(word, found, {api_host, "claude.ai"}, alone=alone):
            raise another_host
    if found.whole and any(
        _host_of(f"//{host}") != api_host for host in _HOST_HEADER.findall(text)
    ):
        raise another_host
    if len(found.whole) > 1:
        raise RoutineIdRefused("Two different routine IDs stand in it. Type in the right one.")
    if found.whole and not {INSIDE_AN_ADDRESS, _BROKEN}.intersection(found.problems):
        return found.whole.pop()
    if found.problems:
        raise RoutineIdRefused(found.problems[0])
    if found.leads_elsewhere:
        raise another_host
    return None


def _look_at(word: re.Match[str], found: _Found, hosts: set[str], *, alone: bool) -> bool:
    """Add to `found` what stands in one word; False if it leads to another host."""
    text = word[0].strip("[]*").rstrip(":!?")
    names_a_routine = "trig_" in text or "/routines/" in text
    if tokens.PREFIX in text:
        if names_a_routine or "://" in text:
            found.problems.append(INSIDE_AN_ADDRESS)
        return True
    try:
        host, path = _host_and_path(text)
    except ValueError:
        found.problems.append("This URL cannot be read. Copy it again.")
        return True
    if host is not None and host not in hosts:
        found.leads_elsewhere = True
        return not names_a_routine
    if text.startswith("routine_"):
        found.problems.append(
            "A routine ID starts with trig_, never with routine_. It is in the URL that the API "
            "trigger's window at claude.ai shows."
        )
    elif names_a_routine or host is not None:
        _look_for_id(word, path, found, alone=alone)
    return True


def _look_for_id(word: re.Match[str], path: str, found: _Found, *, alone: bool) -> None:
    named = path[path.find("trig_") :].partition("/")[0] if "trig_" in path else ""
    if named and _PLACEHOLDER.fullmatch(named):
        found.problems.append(_PLACEHOLDER_SENTENCE)
        return
    if re.search(r"\.\.|…|[*•●·]", named):
        found.problems.append(_CUT)
        return
    path, is_url = path.rstrip("."), path.startswith("/")
    match = (_IN_PATH if is_url else _BARE).fullmatch(path)
    if match is None:
        found.problems.append(
            "No routine ID (trig_...) stands in this URL. Copy it again."
            if is_url
            else "Paste the routine ID (it starts with trig_) or the fire URL."
        )
    elif word[0].endswith(match[1]) and pasted_text.may_go_on(word.string, word.end(), alone=alone):
        found.problems.append(_BROKEN)
    else:
        found.whole.add(match[1])


def _host_and_path(text: str) -> tuple[str | None, str]:
    """The host that `text` names, in lower case, and what of it may hold an ID. Raise ValueError.

    curl and people leave out https://, so what stands in front of the first slash is a host if it
    looks like one.
    """
    scheme = _SCHEME.search(text)
    if scheme is not None:
        url = text[scheme.start() :]
        return _host_of(url), urlsplit(url).path
    head, slash, rest = text.removeprefix("//").partition("/")
    head = head.rpartition("=")[2]
    if slash and not head.startswith(("$", "%", ":")) and re.search(r"[.:@\[]", head):
        return _host_of(f"//{head}"), urlsplit(f"//{head}/{rest}").path
    if slash and (not head or head.startswith(("$", "%"))):  # a variable in place of the host
        return None, f"/{rest}"
    return None, f"/{head}/{rest}" if head in ("v1", "code") else text


def _host_of(url: str) -> str:
    return urlsplit(url).netloc.lower().removesuffix(":443")
