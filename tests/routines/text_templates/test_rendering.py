"""Values put into a body: once, literally, and as JSON where the template says so."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routines.text_templates import json_problem, names_in, odd_placeholders, render


def test_every_place_of_a_name_gets_its_value():
    body = "{{ a }}, {{a}} and {{\tb }}; {{ a }}"
    assert names_in(body) == ["a", "b"]
    assert render(body, {"a": "1", "b": "2"}) == "1, 1 and 2; 1"


def test_a_value_that_holds_a_placeholder_stays_literal():
    assert render("{{ a }}{{ b }}", {"a": "{{ b }}", "b": "{{ a }}"}) == "{{ b }}{{ a }}"
    assert render("{{ a }} b }}", {"a": "{{"}) == "{{ b }}"


def test_a_value_is_no_pattern_and_no_format():
    assert render("<{{ a }}>", {"a": r"\1 \g<0> {0} %s $1"}) == r"<\1 \g<0> {0} %s $1>"


def test_a_name_without_a_value_stays_as_it_stands():
    assert render("{{ a }}{{b}}", {"a": "1"}) == "1{{b}}"


@pytest.mark.parametrize(
    "odd", ["{{ a-b }}", "{{}}", "{{ a.b }}", "{{ 1a }}", "{{ ä }}", "{{ text }}", "{{ a | b }}"]
)
def test_what_only_looks_like_a_field_is_sent_as_it_stands_and_told(odd):
    body = f"x {odd} {{{{ fine }}}}"
    assert names_in(body) == ["fine"]
    assert render(body, {"a": "1", "text": "1"}) == body
    assert odd_placeholders(body) == [odd]


def test_a_json_value_is_escaped_as_what_stands_in_quotes():
    value = 'He said "no",\nthen \\ and\ttab, ü and \U0001f680'
    text = render('{"said": "{{ said }}"}', {"said": value}, as_json=True)
    assert json.loads(text) == {"said": value}
    assert "\U0001f680" in text, "readable characters stay readable"


@given(st.text())
def test_no_value_breaks_out_of_its_json_string(value):
    text = render('["{{ a }}", "{{ a }}"]', {"a": value}, as_json=True)
    assert json.loads(text) == [value, value]


@given(st.text(), st.text())
def test_no_value_changes_what_stands_around_it(before, value):
    before = before.replace("{", "")
    assert render(before + "{{ a }}", {"a": value}) == before + value


# --- Is it JSON? ---


@pytest.mark.parametrize(
    "text", ["{}", " [1, 2.5e3, null]\n", '"a"', "1" * 5000, '{"NaN": "Infinity"}']
)
def test_json_is_told_from(text):
    assert json_problem(text) is None


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ('{"a": 1,\n  "b": x}', 2, 8),
        ("{} {}", 1, 4),
        ('{"a": "one\ntwo"}', 1, 11),
        ('["NaN", "\\"NaN",\n -Infinity]', 2, 2),
        ("[" * 100_000, 1, 1),
    ],
    ids=["empty", "word", "more", "line break", "constant", "deep"],
)
def test_what_is_no_json_is_located(text, line, column):
    problem = json_problem(text)
    assert problem is not None
    assert (problem.line, problem.column) == (line, column)
    assert f"line {line}, column {column}" in str(problem)


def test_a_name_that_stands_there_thousands_of_times_makes_no_text_of_gigabytes():
    text = render("{{a}}" * 13_000, {"a": "x" * 262_144})
    assert 65_536 < len(text) < 1_000_000
