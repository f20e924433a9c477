"""The words of a pasted command, as the shell it was written for would see them.

Forgiving where a shell would be strict, since people copy from windows, chats and documents: an
open quote ends with the text, and a line may go on with or without a sign. Nothing is expanded,
nothing is run.
"""

import re

_BETWEEN_WORDS = "|;&"  # and white space
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def split(text: str) -> list[str]:
    """The words of `text`.

    Knows backslashes, single, double and $'..' quotes, and the carets and backticks that continue
    a line (and quote, for carets) on Windows.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"[\\^`][ \t]*\n", " ", text)  # the line goes on
    # In cmd a caret quotes the next character. Nothing that is looked for has one in it.
    return _Splitter(text.replace("^", "")).words()


class _Splitter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def words(self) -> list[str]:
        found: list[str] = []
        word: list[str] | None = None  # None: between two words; empty: a quoted nothing
        while self._at < len(self._text):
            character = self._take()
            if character.isspace() or character in _BETWEEN_WORDS:
                if word is not None:
                    found.append("".join(word))
                word = None
            else:
                word = word if word is not None else []
                word.append(self._meant_by(character))
        return found if word is None else [*found, "".join(word)]

    def _meant_by(self, character: str) -> str:
        if character == "\\":
            return self._take()
        if character == "'":
            return self._until_single_quote()
        if character == '"':
            return self._until_double_quote()
        if character == "$" and self._peek() == "'":
            self._take()
            return self._until_escaped_quote()
        return character

    def _take(self) -> str:
        character = self._peek()
        self._at += 1
        return character

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _until_single_quote(self) -> str:
        start, end = self._at, self._text.find("'", self._at)
        if end < 0:
            end = len(self._text)
        self._at = end + 1
        return self._text[start:end]

    def _until_double_quote(self) -> str:
        inside = []
        while self._at < len(self._text) and (character := self._take()) != '"':
            quoted = character == "\\" and self._peek() in ('"', "\\", "$", "`")
            inside.append(self._take() if quoted else character)
        return "".join(inside)

    def _until_escaped_quote(self) -> str:
        """After $', where backslashes stand for other characters."""
        inside = []
        while self._at < len(self._text) and (character := self._take()) != "'":
            if character == "\\":
                character = self._take()
                character = _ESCAPES.get(character, character)
            inside.append(character)
        return "".join(inside)
