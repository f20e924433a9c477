"""From the text of a file to what it says, with the line of everything, or all of its problems."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import yaml
from django.contrib.auth.models import Group
from yaml.composer import ComposerError
from yaml.reader import ReaderError

from routines import text_templates
from routines.models import Account, Routine, Tag, TextTemplate
from routines.registry.as_code import scalars
from routines.registry.as_code.scalars import Reader, Unreadable, holds_a_token
from routines.registry.tags import TagsRefused, parse_tags
from routines.text_templates import Kind

MOST_BYTES = 16_000_000
MOST_ROUTINES = 2_000
MOST_NODES = 200_000  # values and names; so many take ten seconds, and 2,000 routines half of them


@dataclass(frozen=True, order=True)
class Problem:
    line: int
    field: str  # empty: it is about the line itself
    sentence: str

    def __str__(self) -> str:
        where = f"line {self.line}, {self.field}" if self.field else f"line {self.line}"
        return f"{where}: {self.sentence}"


class DocumentRefused(ValueError):
    """Nothing was changed. `problems` has all that were found, in the order of their lines."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True)
class Entry:
    """An account, a routine, a template or a field of one: what was written, and where."""

    line: int
    values: dict[str, Any]
    lines: dict[str, int] = field(compare=False)

    def problem(self, name: str, sentence: str) -> Problem:
        return Problem(self.lines.get(name, self.line), name, sentence)


@dataclass(frozen=True)
class Document:
    accounts: list[Entry]
    routines: list[Entry]


_FIELD: dict[str, Reader] = {
    "name": scalars.text(text_templates.LONGEST_NAME),
    "label": scalars.text(text_templates.LONGEST_LABEL, may_be_empty=True),
    "help": scalars.text(text_templates.LONGEST_HELP, may_be_empty=True),
    "default": scalars.body,
    "required": scalars.switch,
    "kind": scalars.one_of(list(Kind)),
    "choices": scalars.text(text_templates.LONGEST_CHOICE),  # each of its members
    "pattern": scalars.text(text_templates.LONGEST_PATTERN, may_be_empty=True),
}
_TEMPLATE: dict[str, Reader] = {
    "name": scalars.column(TextTemplate, "name"),
    "body": scalars.body,
    "json": scalars.switch,
    "fields": scalars.body,  # read as entries of their own
}
_ACCOUNT: dict[str, Reader] = {
    "label": scalars.column(Account, "label"),
    "hourly_limit": scalars.column(Account, "hourly_limit"),
}
_ROUTINE: dict[str, Reader] = {
    "routine_id": scalars.column(Routine, "routine_id"),
    "name": scalars.column(Routine, "name"),
    "slug": scalars.slug,
    "purpose": scalars.column(Routine, "purpose"),
    "account": scalars.column(Account, "label"),
    "beta_version": scalars.version(Routine, "beta_version"),
    "api_version": scalars.version(Routine, "api_version"),
    "hourly_limit": scalars.column(Routine, "hourly_limit"),
    "cool_down": scalars.column(Routine, "cool_down"),
    "tags": scalars.column(Tag, "name"),  # each of its members
    "enabled": scalars.column(Routine, "enabled"),
    "archived": scalars.switch,
    "open_to": scalars.column(Group, "name"),  # each of its members
    "confirmation": scalars.column(Routine, "confirmation"),
    "asks_why": scalars.column(Routine, "asks_why"),
    "runs_seen_by_group": scalars.column(Routine, "runs_seen_by_group"),
    "templates": scalars.body,  # read as entries of their own
}
_ENTRIES = {"templates": _TEMPLATE, "fields": _FIELD}


_TOO_MUCH = (
    f"This is too much for one file: at most {MOST_ROUTINES:,} routines and {MOST_NODES:,} names "
    "and values. Split it, and import the parts one after the other."
)


def read(content: bytes) -> Document:
    """Raise DocumentRefused."""
    if len(content) > MOST_BYTES:
        raise DocumentRefused([Problem(1, "", f"The file has more than {MOST_BYTES:,} bytes.")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DocumentRefused([Problem(line, "", "This is no UTF-8. Save the file so.")]) from None
    return _Reading().document(_compose(text))


class _Loader(yaml.SafeLoader):
    """Without aliases: a short file could say a lot with them, and no reader needs them.

    And with an end: what is refused for its size is not read to its end first.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise DocumentRefused([Problem(mark.line + 1, "", _TOO_MUCH)])
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise ComposerError(problem="aliases (*) have no meaning here", problem_mark=mark)
        return super().compose_node(parent, index)


def _compose(text: str) -> yaml.Node:
    """The nodes of the one document. Nothing is constructed: a tag can make no object."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        sentence = f"YAML does not allow the character U+{error.character:04X}. Take it out."
        raise DocumentRefused([Problem(line, "", sentence)]) from None
    except yaml.MarkedYAMLError as error:
        raise DocumentRefused([_of_yaml(error)]) from None
    except RecursionError:
        raise DocumentRefused([Problem(1, "", "The file is nested too deeply.")]) from None
    if node is None:
        raise DocumentRefused([Problem(1, "", "The file is empty.")])
    return node


def _of_yaml(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = error.problem or error.context or "it cannot be read"
    said = "it cannot be read" if holds_a_token(said) else said
    return Problem(mark.line + 1 if mark else 1, "", f"This is no YAML: {said}.")


class _Reading:
    """One walk over the nodes, which goes on after a problem to find the others too."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def document(self, node: yaml.Node) -> Document:
        sections = self._pairs(node, "", ("accounts", "routines"))
        if not sections and not self.problems:
            self._note(node, "", "Neither accounts nor routines stand here: nothing to import.")
        listed = (sections or {}).get("routines")
        if isinstance(listed, yaml.SequenceNode) and len(listed.value) > MOST_ROUTINES:
            raise DocumentRefused([Problem(_line(listed), "routines", _TOO_MUCH)])
        accounts, routines = (
            self._entries(sections[name], name, what) if sections and name in sections else []
            for name, what in (("accounts", _ACCOUNT), ("routines", _ROUTINE))
        )
        self._once(accounts, "label")
        self._once(routines, "routine_id")
        self._once(routines, "slug")
        if self.problems:
            raise DocumentRefused(self.problems)
        return Document(accounts, routines)

    def _entries(self, node: yaml.Node, name: str, readers: Mapping[str, Reader]) -> list[Entry]:
        identity = next(iter(readers))
        found = []
        for member in self._members(node, name):
            pairs = self._pairs(member, name, readers)
            if pairs is None:
                continue
            entry = self._entry(member, pairs, readers)
            if identity not in pairs:
                self._note(member, identity, "This is missing.")
            found.append(entry)
        return found

    def _entry(
        self, node: yaml.Node, pairs: Mapping[str, yaml.Node], readers: Mapping[str, Reader]
    ) -> Entry:
        values: dict[str, Any] = {}
        for name, value in pairs.items():
            if name in _ENTRIES:
                values[name] = self._entries(value, name, _ENTRIES[name])
                self._once(values[name], "name")
            elif name == "choices":
                values[name] = self._texts(value, name, readers)
            elif name == "open_to":
                values[name] = self._open_to(value, readers)
            elif name == "tags":
                values[name] = self._tags(value, self._texts(value, name, readers))
            else:
                read = self._value(value, name, readers)
                if read is not None or name == "hourly_limit":
                    values[name] = read
        return Entry(_line(node), values, {name: _line(value) for name, value in pairs.items()})

    def _open_to(self, node: yaml.Node, readers: Mapping[str, Reader]) -> str | list[str] | None:
        if isinstance(node, yaml.SequenceNode):
            return sorted(set(self._texts(node, "open_to", readers)))
        word: str | None = self._value(node, "open_to", {"open_to": scalars.open_to_word})
        return word

    def _texts(self, node: yaml.Node, name: str, readers: Mapping[str, Reader]) -> list[str]:
        read = [self._value(one, name, readers) for one in self._members(node, name)]
        return [text for text in read if text is not None]

    def _tags(self, node: yaml.Node, written: list[str]) -> list[str]:
        try:
            return parse_tags(", ".join(written))
        except TagsRefused as refused:
            self._note(node, "tags", str(refused))
            return []

    def _value(self, node: yaml.Node, name: str, readers: Mapping[str, Reader]) -> Any:
        try:
            return readers[name](node)
        except Unreadable as problem:
            self._note(node, name, str(problem))
            return None

    def _members(self, node: yaml.Node, name: str) -> list[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self._note(node, name, "A list belongs here: lines that begin with “- ”, or [] for none.")
        return []

    def _pairs(
        self, node: yaml.Node, name: str, known: Mapping[str, Reader] | tuple[str, ...]
    ) -> dict[str, yaml.Node] | None:
        if not isinstance(node, yaml.MappingNode):
            self._note(node, name, f"Fields belong here: {', '.join(known)}.")
            return None
        pairs: dict[str, yaml.Node] = {}
        for key, value in node.value:
            written = key.value if isinstance(key, yaml.ScalarNode) else ""
            if written not in known:
                self._note(key, _shown(written), _unknown(written, list(known)))
            elif written in pairs:
                first = _line(pairs[written])
                self._note(key, written, f"This stands here twice, first on line {first}.")
            else:
                pairs[written] = value
        return pairs

    def _once(self, entries: list[Entry], name: str) -> None:
        first: dict[str, Entry] = {}
        for entry in entries:
            value = entry.values.get(name)
            if value is None:
                continue
            if value in first:
                line = first[value].lines[name]
                self.problems.append(
                    entry.problem(name, f"“{value}” stands on line {line} already. Take one out.")
                )
            first.setdefault(value, entry)

    def _note(self, node: yaml.Node, name: str, sentence: str) -> None:
        self.problems.append(Problem(_line(node), name, sentence))


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1


def _shown(key: str) -> str:
    return "" if holds_a_token(key) else key[:60]


def _unknown(key: str, known: list[str]) -> str:
    if "token" in key.lower():
        return "Tokens never stand in this file. Paste the token on the routine's page."
    close = get_close_matches(key, known, n=1)
    if close:
        return f"There is no such field. Is {close[0]} meant?"
    return f"There is no such field. The fields are: {', '.join(known)}."
