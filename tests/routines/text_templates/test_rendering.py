"""Values put into a body: once, literally, and as JSON where the template says so."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routines.text_templates import (
    json_problem,
    keep_literal,
    names_in,
    odd_placeholders,
    render,
)


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


# --- Braces that are sent as they are ---

CASE = 'Render the greeting for {{ ticket }}.\nKeep this line as it is: Hello {{ "{{ user }}" }}!\n'


def test_literal_braces_can_be_written_and_are_no_field():
    assert names_in(CASE) == ["ticket"]
    assert render(CASE, {"ticket": "SEN-1", "user": "x"}) == (
        "Render the greeting for SEN-1.\nKeep this line as it is: Hello {{ user }}!\n"
    )
    assert odd_placeholders(CASE) == []


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ('{{ "{{ user }}" }}', "{{ user }}"),
        ("{{'{{user}}'}}", "{{user}}"),
        ('{{ "{{ a-b }}" }}', "{{ a-b }}"),
        ('{{ "{{ user | upper }}" }}', "{{ user | upper }}"),
        ('{{ "{{ ticket }}" }}: {{ ticket }}', "{{ ticket }}: <T>"),
        ('"{{ ticket }}"', '"<T>"'),
        ("{{ \"{{ ticket }}' }}", "{{ \"<T>' }}"),
        ("\\{{ ticket }}", "\\<T>"),
        ("{{{{ ticket }}}}", "{{<T>}}"),
        ("${{ ticket }}", "$<T>"),
        (
            "{{ .Values.x }} {{ $labels.x }} ${{ a.b }}",
            "{{ .Values.x }} {{ $labels.x }} ${{ a.b }}",
        ),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_all_that_is_not_quoted_within_braces_keeps_its_meaning(body, sent, as_json):
    assert render(body, {"ticket": "<T>", "user": "x"}, as_json=as_json) == sent


def test_a_value_that_looks_like_literal_braces_stays_as_typed():
    assert render("{{ a }}", {"a": '{{ "{{ b }}" }}'}) == '{{ "{{ b }}" }}'


def test_a_text_that_becomes_a_template_keeps_its_literal_braces():
    text = render(CASE, {"ticket": "SEN-1"})
    assert keep_literal(text, CASE) == CASE.replace("{{ ticket }}", "SEN-1")
    assert keep_literal("{{ new }} {{ user }}", CASE) == '{{ new }} {{ "{{ user }}" }}'
    assert keep_literal("{{ a }}", '{{ a }} {{ "{{ a }}" }}') == "{{ a }}"


# --- Signs that nobody sees, or takes for others ---

SIGNS = {
    # As copied from a file that was saved with a byte-order mark.
    "byte-order mark": (
        '\ufeff{"summary": "Error rate above 5 %", "service": "checkout"}\n',
        "an invisible byte-order mark (U+FEFF)",
        (1, 1),
    ),
    "a later mark": ('{"a": 1}\ufeff', "an invisible byte-order mark (U+FEFF)", (1, 9)),
    "zero-width space": ('{\u200b"a": 1}', "zero width space (U+200B)", (1, 2)),
    "direction mark": ('{"a": \u200e1}', "left-to-right mark (U+200E)", (1, 7)),
    "word joiner": ("[1,\n\u20602]", "word joiner (U+2060)", (2, 1)),
    "no-break space": ('{"a":\u00a01}', "no-break space (U+00A0)", (1, 6)),
    "ideographic space": ('{"a": 1,\u3000"b": 2}', "ideographic space (U+3000)", (1, 9)),
    "line separator": ('{"a": 1,\u2028"b": 2}', "line separator (U+2028)", (1, 9)),
    "curly quotes": ("{\u201ca\u201d: 1}", "a curly quotation mark, \u201c (U+201C)", (1, 2)),
    "curly value": ('{"a": \u201cx\u201d}', "a curly quotation mark, \u201c (U+201C)", (1, 7)),
    "curly end": ('{"a": "x\u201d}', "a curly quotation mark, \u201d (U+201D)", (1, 9)),
    "German quotes": ("{\u201ea\u201c: 1}", "a curly quotation mark, \u201e (U+201E)", (1, 2)),
    "single quotes": ("{'a': 1}", "the quotation mark ' stands", (1, 2)),
    "full-width colon": ('{"a"\uff1a 1}', "fullwidth colon", (1, 5)),
    "full-width brace": ('\uff5b"a": 1}', "fullwidth left curly bracket", (1, 1)),
    "a minus sign": ('{"a": \u22121}', "minus sign, U+2212", (1, 7)),
    "a tab in a string": ('{"a": "x\ty"}', "a tab stands inside a string; write \\t", (1, 9)),
    "NUL": ("{\x00}", "a control character (U+0000)", (1, 2)),
}


@pytest.mark.parametrize(("text", "says", "where"), SIGNS.values(), ids=SIGNS)
def test_an_odd_sign_in_json_is_named_with_its_place(text, says, where):
    problem = json_problem(text)
    assert problem is not None
    assert says in str(problem)
    assert (problem.line, problem.column) == where
    assert "utf-8-sig" not in str(problem)


def test_odd_signs_within_strings_are_nobodys_business():
    assert json_problem('{"a\u00a0": "\ufeff \u201cquoted\u201d \u200b it\'s \uff1a"}') is None
