"""What a field may be, and what each kind takes."""

import pytest

from routines.text_templates import Field, ValueRefused, fill, form_fields, problems, version_of

BODY = "{{ ticket }} {{ why_now }}"


def sentences(*fields: Field, body: str = BODY) -> list[tuple[str, str]]:
    return [(problem.attribute, problem.sentence) for problem in problems(fields, body=body)]


def test_a_name_without_a_definition_is_one_required_line():
    assert form_fields(BODY, [{"name": "why_now", "kind": "lines"}]) == (
        Field("why_now", kind="lines"),
        Field("ticket"),
    )
    assert Field("why_now").title == "Why now"


def test_built_in_names_are_not_asked_for():
    assert form_fields("{{ person }} {{ now }} {{ today }} {{ routine }}", []) == ()


def test_a_definition_comes_back_as_it_was_stored():
    whole = Field("ticket", "Which", "Like A-1", "b", False, "choice", ("a", "b"))
    assert Field.from_stored(whole.to_stored()) == whole
    assert Field("ticket").to_stored() == {"name": "ticket"}


def test_what_is_right_has_no_problems():
    assert sentences(Field("ticket", pattern=r"[A-Z]+-\d+", default="A-1"), Field("why_now")) == []


@pytest.mark.parametrize(
    ("field", "attribute", "says"),
    [
        (Field("1st"), "name", "begins with a letter"),
        (Field("x" * 41), "name", "at most 40 characters"),
        (Field("person"), "name", "filled in by itself (who runs it)"),
        (Field("template"), "name", "means something else"),
        (Field("missing"), "name", "Write {{ missing }} where it belongs"),
        (Field("ticket", label="x" * 81), "label", "81 of at most 80"),
        (Field("ticket", help="a\x00"), "help", "cannot be stored"),
        (Field("ticket", kind="number"), "kind", "line, lines, choice"),
        (Field("ticket", kind="choice"), "choices", "Write the choices"),
        (Field("ticket", kind="choice", choices=("a", "a")), "choices", "twice"),
        (Field("ticket", choices=("a",)), "choices", "belong to a list of choices"),
        (Field("ticket", kind="choice", choices=("a",), default="b"), "default", "choose one"),
        (Field("ticket", kind="choice", choices=("a",), pattern="a"), "pattern", "no pattern"),
        (Field("ticket", pattern="("), "pattern", "cannot be used"),
        (Field("ticket", pattern=r"(?=a)a"), "pattern", "Look-arounds"),
        (Field("ticket", pattern="a" * 201), "pattern", "at most 200"),
        (Field("ticket", pattern="[0-9]+", default="x"), "default", "right form"),
    ],
)
def test_a_definition_that_cannot_be_has_its_sentence(field, attribute, says):
    found = sentences(field)
    assert [where for where, _ in found] == [attribute]
    assert says in found[0][1]


def test_a_name_is_defined_once():
    assert ("name", "“ticket” is defined 2 times. Keep one.") in sentences(
        Field("ticket"), Field("ticket")
    )


def test_a_template_has_no_more_fields_than_a_person_fills_in():
    body = " ".join(f"{{{{ f{number} }}}}" for number in range(31))
    assert sentences(body=body) == [("name", "A template has at most 30 fields.")]


# --- Values ---


def refusal(field: Field, value: str) -> str:
    with pytest.raises(ValueRefused) as refused:
        field.clean(value)
    return str(refused.value)


def test_values_are_taken_as_their_kind_takes_them():
    assert Field("a").clean("  SEN-1\r\n") == "SEN-1"
    assert Field("a", kind="lines").clean(" one\r\ntwo ") == " one\ntwo "
    assert Field("a", required=False).clean("  ") == ""


def test_values_that_cannot_be_have_a_sentence():
    assert refusal(Field("why_now"), " \n ") == "Fill in “Why now”."
    assert "one line" in refusal(Field("a"), "one\ntwo")
    assert "Choose one of these: x, y." in refusal(
        Field("a", kind="choice", choices=("x", "y")), "z"
    )
    assert "Like A-1." in refusal(Field("a", pattern=r"\w-\d", help="Like A-1."), "A-12")
    assert "NUL" in refusal(Field("a"), "a\x00b")


def test_a_pattern_takes_all_of_the_value_or_nothing():
    assert Field("a", pattern="a|ab").clean("ab") == "ab"
    assert "right form" in refusal(Field("a", pattern="a"), "ab")


def test_no_pattern_hangs_on_any_value():
    """With Python's own `re` this would not end before the sun does."""
    assert "right form" in refusal(Field("a", pattern="(a+)+(b|c+)+"), "a" * 60_000 + "!")


# --- One template filled in ---


def test_filling_tells_each_missing_field_and_shows_where_it_belongs():
    filling = fill("{{ a }} {{ b }} {{ c }} {{ person }}", [], {"a": "1"}, {"person": "P"})
    assert filling.text == "1 {{ b }} {{ c }} P"
    assert filling.errors == {"b": "Fill in “B”.", "c": "Fill in “C”."}
    assert filling.values == {"a": "1", "person": "P"}
    assert not filling.is_whole


def test_what_is_typed_cannot_stand_in_for_a_built_in_value():
    assert fill("{{ person }}", [], {"person": "Q"}, {"person": "P"}).text == "P"


def test_a_wrong_value_is_shown_but_is_no_value_yet():
    filling = fill("{{ a }}", [{"name": "a", "pattern": "x"}], {"a": "y"}, {})
    assert (filling.text, filling.values) == ("y", {})


def test_any_change_of_a_template_is_another_version():
    before = version_of("{{ a }}", [{"name": "a"}], as_json=False)
    assert before == version_of("{{ a }}", [{"name": "a"}], as_json=False)
    assert before != version_of("{{ a }} ", [{"name": "a"}], as_json=False)
    assert before != version_of("{{ a }}", [{"name": "a", "label": "A"}], as_json=False)
    assert before != version_of("{{ a }}", [{"name": "a"}], as_json=True)
