"""The words of a text, for searching: split and compared here, so that no database has a say.

Databases fold case, classify letters and cut long words by rules and locales of their own. So
they are given words that need none of it: already normalised, one blank between two, and compared
byte by byte.

The rules, for texts and for searches alike:
- Unicode compatibility forms are one (NFKC), and case does not matter (full case folding: ß is
  ss, final sigma is sigma). The dotted and the dotless i are one letter, as a Turkish reader means.
- A word is a run of letters, digits and their marks. Everything else stands between words, but
  for invisible characters (soft hyphens, joiners), which are taken out.
- Of a word longer than LONGEST_WORD characters the rest is neither kept nor compared.
- Scripts that put no blanks between words, or glue particles to them (UNSPACED), are kept as
  single characters and pairs of neighbours: so any part of such a run is found.
"""

import re
import unicodedata
from collections.abc import Iterator

LONGEST_WORD = 100  # characters
# Of a run of an unspaced script in a search, the pairs of so many characters are looked for.
_LONGEST_RUN = 40
_MOST_MARKS = 30

UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Myanmar, Khmer
    "\u1100-\u11ff\uac00-\ud7ff"  # Hangul
    "\u3005-\u3007\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff"  # Kana, Bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_RUNS = re.compile(f"([{UNSPACED}]+)")
_ASCII_WORD = re.compile(r"[a-z0-9]+")


def kept(text: str) -> str:
    """The words to keep of a text, each once: " deploy of 2 ", or empty if it has none."""
    words = dict.fromkeys(_to_keep(text))
    return f" {' '.join(words)} " if words else ""


def sought(typed: str) -> list[list[str]]:
    """The words typed into a search, each as the kept words that must all be there."""
    found: dict[str, list[str]] = {}
    for word, is_unspaced in _words(typed):
        if is_unspaced:
            run = word[:_LONGEST_RUN]
            found[run] = _pairs(run) or [run]
        else:
            found[word[:LONGEST_WORD]] = [word[:LONGEST_WORD]]
    return list(found.values())


def _to_keep(text: str) -> Iterator[str]:
    for word, is_unspaced in _words(text):
        if is_unspaced:
            yield from word
            yield from _pairs(word)
        else:
            yield word[:LONGEST_WORD]


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _words(text: str) -> Iterator[tuple[str, bool]]:
    """Each with whether it is a run of an unspaced script."""
    if text.isascii():  # most texts, and nothing to normalise
        for word in _ASCII_WORD.findall(text.lower()):
            yield word, False
        return
    for chunk in _folded(text).translate(_CLASSES).split():
        for number, part in enumerate(_RUNS.split(chunk)):
            word = _without_leading_marks(part)
            if word:
                yield word, number % 2 == 1


def _folded(text: str) -> str:
    text = _without_piles(text)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return folded.replace("i\u0307", "i").replace("\u0131", "i")


def _without_piles(text: str) -> str:
    """Of marks on one letter the first few: no script has more, and sorting them takes quadratic
    time (as Unicode's "stream-safe" texts, UAX 15)."""
    kept, pile = [], 0
    for character in text:
        pile = pile + 1 if unicodedata.combining(character) else 0
        if pile <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def _without_leading_marks(part: str) -> str:
    while part and not part[0].isascii() and unicodedata.category(part[0])[0] == "M":
        part = part[1:]
    return part


class _Classes(dict[int, str | None]):
    """For `str.translate`: itself for what belongs to words, None for what is invisible."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        category = unicodedata.category(character)
        if category in ("Cf", "Me") or 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:
            kept_as = None
        else:
            kept_as = character if category[0] in "LMN" else " "
        self[code] = kept_as
        return kept_as


_CLASSES = _Classes({0x200B: " "})  # the zero-width space does stand between words
