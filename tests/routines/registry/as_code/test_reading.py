"""What the file may say: every problem with its line and what to do, and nothing but plain data."""

import pytest

from routines.registry.as_code import DocumentRefused, document, read
from routines.registry.as_code.document import Document, Entry

TOKEN = "sk-ant-oat01-abcdefghijklmnop"


def parsed(text: str) -> Document:
    return read(text.encode())


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(DocumentRefused) as refused:
        read(text if isinstance(text, bytes) else text.encode())
    return [str(problem) for problem in refused.value.problems]


def of_routine(lines: str) -> str:
    """A file of one routine with these further lines, the first of which is line 3."""
    return "routines:\n  - routine_id: trig_one\n" + "".join(
        f"    {line}\n" for line in lines.splitlines()
    )


def routine(lines: str) -> Entry:
    return parsed(of_routine(lines)).routines[0]


# --- What is read ---


def test_a_routine_with_everything():
    entry = routine(
        """\
name: Alert triage
slug: alert-triage
purpose: ''
account: Platform team
beta_version: do not send
api_version: 2023-06-01
hourly_limit: default
cool_down: 60
enabled: true
archived: false
open_to: [Managers, Admins]
confirmation: off
asks_why: true
runs_seen_by_group: true
tags: [on  call, Release]
templates:
  - name: Alert
    body: |
      one

        two
"""
    )
    templates = entry.values.pop("templates")
    assert entry.values == {
        "routine_id": "trig_one",
        "name": "Alert triage",
        "slug": "alert-triage",
        "purpose": "",
        "account": "Platform team",
        "beta_version": "",
        "api_version": "2023-06-01",
        "hourly_limit": None,
        "cool_down": 60,
        "enabled": True,
        "archived": False,
        "open_to": ["Admins", "Managers"],
        "confirmation": "off",
        "asks_why": True,
        "runs_seen_by_group": True,
        "tags": ["on call", "release"],
    }
    assert [template.values for template in templates] == [
        {"name": "Alert", "body": "one\n\n  two\n"}
    ]
    assert (entry.line, entry.lines["cool_down"]) == (2, 10)


@pytest.mark.parametrize(
    "text", ["no", "on", "12", "1e3", "2023-06-01", "0x1F", "1:30", "=", "true", "'null'", "日本語"]
)
def test_a_text_is_the_text_that_it_looks_like(text: str):
    assert routine(f"name: {text}").values["name"] == text.strip("'")


def test_a_field_that_is_not_there_has_no_value():
    assert routine("").values == {"routine_id": "trig_one"}
    assert routine("templates: []").values["templates"] == []


def test_a_byte_order_mark_and_line_breaks_of_windows_are_read():
    content = (
        b"\xef\xbb\xbf"
        + of_routine("name: x\ntemplates:\n  - name: y\n    body: |\n      a\n      b")
        .replace("\n", "\r\n")
        .encode()
    )
    [entry] = read(content).routines
    assert entry.values["templates"][0].values["body"] == "a\nb\n"


# --- What is refused, with its line ---

NO_FIELD = "There is no such field."
REFUSED = {
    "unknown field": ("colour: red", "line 3, colour: There is no such field. The fields are:"),
    "slip": ("purpos: x", "line 3, purpos: There is no such field. Is purpose meant?"),
    "field twice": ("name: x\nname: y", "line 4, name: This stands here twice, first on line 3."),
    "token field": ("token: x", "line 3, token: Tokens never stand in this file. Paste"),
    "no name": ("name:", "line 3, name: A text belongs here."),
    "blank name": ("name: '  '", "line 3, name: A text belongs here."),
    "null name": ("name: null", "line 3, name: A text belongs here."),
    "long name": (f"name: {'x' * 81}", "line 3, name: This is too long: 81 of at most 80"),
    "two lines": ('name: "a\\nb"', "line 3, name: This text has to be one line"),
    "NUL": ('name: "a\\0b"', "line 3, name: This text has to be one line"),
    "surrogate": ('name: "a\\ud800b"', "line 3, name: This text has to be one line"),
    "list for a text": ("name: [x]", "line 3, name: One value belongs here"),
    "fields for a text": ("name: {a: b}", "line 3, name: One value belongs here"),
    "text for a list": ("open_to: Admins", "line 3, open_to: A list belongs here"),
    "list in a list": ("open_to: [[x]]", "line 3, open_to: One value belongs here"),
    "no list": ("templates:", "line 3, templates: A list belongs here"),
    "text for fields": (
        "templates: [x]",
        "line 3, templates: Fields belong here: name, body, json, fields.",
    ),
    "slug": ("slug: two words", "line 3, slug: This is a part of an address"),
    "taken address": ("slug: register", "line 3, slug: This is a part of an address"),
    "minus": ("cool_down: -1", "line 3, cool_down: A whole number from 0 to"),
    "too large": ("cool_down: 2147483648", "line 3, cool_down: A whole number from 0 to"),
    "octal": ("cool_down: 010", "line 3, cool_down: A whole number from 0 to"),
    "fraction": ("cool_down: 1.5", "line 3, cool_down: A whole number from 0 to"),
    "limit": (
        "hourly_limit: many",
        "line 3, hourly_limit: A whole number belongs here, or default",
    ),
    "switch": ("enabled: yes", "line 3, enabled: Write true or false."),
    "choice": (
        "confirmation: maybe",
        "line 3, confirmation: Write one of these: off, confirm, type_name.",
    ),
    "API not sent": (
        "api_version: do not send",
        "line 3, api_version: This header has to be sent.",
    ),
    "long version": (
        f"api_version: {'x' * 41}",
        "line 3, api_version: This is too long: 41 of at most 40",
    ),
    "object": (
        "name: !!python/object/apply:os.system [ls]",
        "line 3, name: One value belongs here",
    ),
    "name of an object": (
        "name: !!python/name:os.system x",
        "line 3, name: Tags of YAML (!...) have no",
    ),
    "binary": ("name: !!binary eA==", "line 3, name: Tags of YAML (!...) have no meaning here."),
    "own tag": ("name: !secret x", "line 3, name: Tags of YAML (!...) have no meaning here."),
    "alias": ("name: &a x\npurpose: *a", "line 4: This is no YAML: aliases (*) have no meaning"),
    "merge": ("<<: {name: x}", "line 3, <<: There is no such field."),
    "not closed": ('name: "x', "line 4: This is no YAML: found unexpected end of stream."),
    "tab": ("\tname: x", "line 3: This is no YAML: found character '\\t'"),
    "template twice": (
        "templates:\n  - {name: x, body: a}\n  - {name: x, body: b}",
        "line 5, name: “x” stands on line 4 already. Take one out.",
    ),
    "template without a name": ("templates:\n  - body: x", "line 4, name: This is missing."),
    "order of a template": (
        "templates:\n  - {name: x, order: 1}",
        "line 4, order: There is no such",
    ),
    "NUL in a body": (
        'templates:\n  - name: x\n    body: "\\0"',
        "line 5, body: The text holds a NUL character",
    ),
    "long body": (
        f"templates:\n  - name: x\n    body: {'x' * 65_537}",
        "line 5, body: The text is 1 character too long",
    ),
    "null body": ("templates:\n  - name: x\n    body:", "line 5, body: A text belongs here."),
}


@pytest.mark.parametrize(("lines", "problem"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_stand_in_a_routine_is_named_by_its_line(lines: str, problem: str):
    [found] = problems(of_routine(lines))
    assert found.startswith(problem)


WHOLE_FILES = {
    "empty": ("", "line 1: The file is empty."),
    "comment": ("# nothing\n", "line 1: The file is empty."),
    "text": ("hello", "line 1: Fields belong here: accounts, routines."),
    "list": ("- a", "line 1: Fields belong here: accounts, routines."),
    "no section": ("{}", "line 1: Neither accounts nor routines stand here"),
    "other section": ("people: []", "line 1, people: There is no such field."),
    "two documents": (
        "routines: []\n---\nroutines: []\n",
        "line 2: This is no YAML: but found another",
    ),
    "list as a field": ("? [a]\n: x", "line 1: There is no such field."),
    "no ID": ("routines:\n  - name: x", "line 2, routine_id: This is missing."),
    "wrong ID": (
        "routines:\n  - routine_id: routine_x",
        "line 2, routine_id: A routine ID starts with trig_",
    ),
    "ID with a line break": (
        'routines:\n  - routine_id: "trig_x\\n"',
        "line 2, routine_id: This text has to be one line",
    ),
    "ID twice": (
        "routines:\n  - routine_id: trig_x\n  - routine_id: trig_x",
        "line 3, routine_id: “trig_x” stands on line 2 already. Take one out.",
    ),
    "slug twice": (
        "routines:\n  - {routine_id: trig_x, slug: a}\n  - {routine_id: trig_y, slug: a}",
        "line 3, slug: “a” stands on line 2 already.",
    ),
    "account twice": (
        "accounts:\n  - label: a\n  - label: a",
        "line 3, label: “a” stands on line 2",
    ),
    "account without a label": (
        "accounts:\n  - hourly_limit: 1",
        "line 2, label: This is missing.",
    ),
    "control character": (
        "routines: []\n# \x07",
        "line 2: YAML does not allow the character U+0007.",
    ),
    "NUL": ("routines: []\n# \x00", "line 2: YAML does not allow the character U+0000."),
    "deep": ("[" * 5_000, "line 1: The file is nested too deeply."),
}


@pytest.mark.parametrize(("text", "problem"), WHOLE_FILES.values(), ids=list(WHOLE_FILES))
def test_a_file_that_cannot_be_imported_is_refused_with_its_line(text: str, problem: str):
    found = problems(text)
    assert found[0].startswith(problem), found


def test_a_file_in_another_encoding_is_refused_with_its_line():
    assert problems(b"routines: []\n# caf\xe9") == ["line 2: This is no UTF-8. Save the file so."]


def test_a_file_that_is_too_large_is_not_even_read(monkeypatch):
    monkeypatch.setattr(document, "MOST_BYTES", 10)
    assert problems("# 34567890\n") == ["line 1: The file has more than 10 bytes."]


def test_a_file_with_too_many_routines_is_refused_before_any_is_read(monkeypatch):
    monkeypatch.setattr(document, "MOST_ROUTINES", 2)
    text = "routines:\n" + "  - routine_id: not one\n" * 3
    assert problems(text)[0].startswith("line 2, routines: This is too much for one file")


def test_a_file_of_countless_small_values_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(document, "MOST_NODES", 1_000)
    text = "routines: [" + "a, " * 1_000 + "]}} no YAML"
    assert problems(text)[0].startswith("line 1: This is too much for one file")


def test_all_problems_are_told_at_once_in_the_order_of_their_lines():
    text = of_routine("cool_down: x\nname: ''\ntemplates:\n  - {name: a, colour: red}")
    assert [found.partition(": ")[0] for found in problems(text)] == [
        "line 3, cool_down",
        "line 4, name",
        "line 6, colour",
    ]


# --- Tokens ---


@pytest.mark.parametrize(
    "lines",
    [
        f"name: {TOKEN}",
        f"purpose: Fires with {TOKEN}",
        f"token: {TOKEN}",
        f"{TOKEN}: x",
        f"beta_version: {TOKEN}",
        f"slug: {TOKEN}",
        f"open_to: [{TOKEN}]",
        f"confirmation: {TOKEN}",
        f"cool_down: {TOKEN}",
        f"hourly_limit: {TOKEN}",
        f"templates:\n  - name: x\n    body: |\n      Bearer {TOKEN}",
        f"name: *{TOKEN}",
        f"name: !{TOKEN} x",
        f"name: !!{TOKEN} [x",
        f'name: "sk-ant-oat01-\\\n  {TOKEN[13:]}"',
    ],
)
def test_a_token_in_the_file_is_refused_and_never_repeated(lines: str):
    found = problems(of_routine(lines))
    assert found
    assert not any(TOKEN[13:] in problem for problem in found)


def test_a_token_is_told_to_be_regenerated_and_the_placeholder_is_none():
    [found] = problems(of_routine(f"name: {TOKEN}"))
    assert found.startswith("line 3, name: A token stands here.")
    assert "regenerate" in found
    assert routine("purpose: A token begins with sk-ant-oat01-xxxxxxxx.").values["purpose"]


def test_tags_that_cannot_be_kept_are_told_by_their_line():
    with pytest.raises(DocumentRefused) as error:
        routine(f"name: x\ntags: [{', '.join(f'tag {number}' for number in range(11))}]")
    assert [str(problem) for problem in error.value.problems] == [
        "line 4, tags: A routine has at most 10 tags."
    ]
