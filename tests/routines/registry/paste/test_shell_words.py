"""Words of a command as its shell would see them, and of what people make of commands."""

import pytest

from routines.registry.paste import shell_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("  \n ", []),
        ("a b\tc\nd", ["a", "b", "c", "d"]),
        ("'a b' \"c d\"", ["a b", "c d"]),
        ("a'b c'd", ["ab cd"]),
        ("'' \"\" a", ["", "", "a"]),
        ("a\\ b", ["a b"]),
        ("'a\\b'", ["a\\b"]),
        ('"a\\"b" "c\\\\d" "e\\f" "\\$g"', ['a"b', "c\\d", "e\\f", "$g"]),
        ("$'it\\'s' $'a\\tb\\nc'", ["it's", "a\tb\nc"]),
        ("$HOME '$HOME'", ["$HOME", "$HOME"]),
        ("a \\\n b", ["a", "b"]),
        ("a \\\r\n b", ["a", "b"]),
        ("a ^\n b", ["a", "b"]),
        ('^"a b^"', ["a b"]),
        ("a `\n b", ["a", "b"]),
        ("a|b && c; d", ["a", "b", "c", "d"]),
        ("'a|b'", ["a|b"]),
        ("'open quote", ["open quote"]),
        ('"open quote\\', ["open quote\\"]),
        ("$'open quote\\", ["open quote"]),
        ("a\\", ["a"]),
    ],
)
def test_words(text: str, words: list[str]):
    assert shell_words.split(text) == words
